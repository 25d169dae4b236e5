package recovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"versiond/model"
	"versiond/raft"
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
	plan.Last, err = replay(ctx, service, stores, folder, plan.Node)
	if err != nil {
		return fmt.Errorf("recover from the log in %s: %w", cfg.Dir.Path(), err)
	}
	return cfg.replaceLog(ctx, plan, stores, service)
}

// replay fills the throwaway store in folder.
func replay(ctx context.Context, service raft.VersionServiceInterface, stores *raftlog.Stores, folder, node string) (last model.Position, err error) {
	dir, err := datadir.Open(folder, node)
	if err != nil {
		return last, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := dir.SetCluster(datadir.Membership{Cluster: "throwaway"}); err != nil {
		return last, err
	}
	return raft.Replay(ctx, service, stores, dir)
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

// replaceLog puts a snapshot of the throwaway store in the place of the log.
func (cfg *Config) replaceLog(ctx context.Context, plan Plan, stores *raftlog.Stores, service raft.VersionServiceInterface) (err error) {
	if plan.Records, err = countStored(ctx, service); err != nil {
		return err
	}
	if err := cfg.begin(ctx, plan); err != nil {
		return err
	}
	view, err := service.OpenViewInternal(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(cfg.writeSnapshot(ctx, plan, stores.Snapshots, view), view.Close()); err != nil {
		return err
	}
	first, errFirst := stores.Log.FirstIndex()
	last, errLast := stores.Log.LastIndex()
	if err := errors.Join(errFirst, errLast); err != nil {
		return err
	}
	if err := stores.Log.DeleteRange(first, last); err != nil {
		return fmt.Errorf("cut off the log: %w", err)
	}
	cfg.reached("log cut off")
	return cfg.Dir.EndRecovery()
}

func (cfg *Config) reached(step string) {
	if cfg.at != nil {
		cfg.at(step)
	}
}
