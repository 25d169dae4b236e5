package recovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	hashicorp "github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/contact"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
)

// ErrNotConfirmed is returned by a recovery that has shown what it would do and changed nothing.
var ErrNotConfirmed = errors.New("nothing was changed")

// FromLog makes the node of a data directory the only member of a new cluster, with every
// record that its snapshot and all entries of its log make, acknowledged or not: a log alone does not
// tell. The node must not run.
//
// open opens a service over an empty store in a folder that is removed afterwards. The node's own
// store is not touched: at its next start the node finds that it is of the former cluster, and builds
// it anew.
//
// The steps are: replay and show; back up; mark the directory, under the new cluster's ID, so that no
// node starts on it; write the snapshot and read it back; cut off the log; take off the mark. Whoever
// finds the mark begins again, and comes to the same records.
func FromLog(ctx context.Context, cfg Config, open func(folder string) (raft.VersionServiceInterface, func() error, error)) (err error) {
	plan, err := cfg.check(ctx)
	if err != nil {
		return err
	}
	cfg.Dir.RemoveScratch(cfg.Log)
	stores, err := openStores(cfg.Dir, cfg.Log, !cfg.Confirmed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Close()) }()
	folder, err := os.MkdirTemp(cfg.Dir.Path(), datadir.ScratchPattern)
	if err != nil {
		return fmt.Errorf("make a folder for the throwaway store: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	service, closeService, err := open(folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeService()) }()
	replayer, err := raft.NewReplayer(ctx, service, stores.Log, cfg.Dir.Identity().Node)
	if err != nil {
		return err
	}
	fsm := &replayFSM{Replayer: replayer, ctx: ctx, service: service}
	defer func() { err = errors.Join(err, fsm.close()) }()
	return cfg.recoverCluster(ctx, plan, stores, fsm)
}

// check makes the plan as far as it can be made without a replay.
func (cfg *Config) check(ctx context.Context) (Plan, error) {
	plan := cfg.newPlan(datadir.FromLog, cfg.Dir.Identity().Cluster)
	stores, err := openStores(cfg.Dir, cfg.Log, true)
	if err != nil {
		return plan, err
	}
	if err := errors.Join(plan.readMembers(stores), stores.Close()); err != nil {
		return plan, err
	}
	return plan, cfg.Check(ctx, plan)
}

// openStores opens a directory, which stays as it is if readOnly is set.
func openStores(dir *datadir.Dir, log *slog.Logger, readOnly bool) (*raftlog.Stores, error) {
	if readOnly {
		log = slog.New(slog.DiscardHandler)
	}
	return raftlog.Open(dir.Path(), raftlog.Options{Log: log, ReadOnly: readOnly})
}

func (cfg *Config) recoverCluster(ctx context.Context, plan Plan, stores *raftlog.Stores, fsm *replayFSM) error {
	conf := hashicorp.DefaultConfig()
	conf.LocalID, conf.Logger = hashicorp.ServerID(plan.Node), contact.NewLogger(cfg.Log, nil)
	_, transport := hashicorp.NewInmemTransport(hashicorp.ServerAddress(cfg.Address))
	gate := &gatedSnapshots{SnapshotStore: stores.Snapshots, pass: func(last model.Position) error {
		plan.Last, plan.Records = last, fsm.records
		return cfg.begin(ctx, plan)
	}}
	logs := &guardedLog{LogStore: stores.Log, before: func() error {
		cfg.reached("snapshot written")
		return checkNewest(stores.Snapshots, fsm.records)
	}}
	err := hashicorp.RecoverCluster(conf, fsm, logs, stores.Stable, gate, transport, raft.Alone(plan.Node, cfg.Address))
	if gate.err != nil {
		return gate.err // RecoverCluster does not wrap it
	}
	if err != nil {
		return fmt.Errorf("recover from the log in %s: %w", cfg.Dir.Path(), err)
	}
	cfg.reached("log cut off")
	return cfg.Dir.EndRecovery()
}

func (cfg *Config) reached(step string) {
	if cfg.at != nil {
		cfg.at(step)
	}
}
