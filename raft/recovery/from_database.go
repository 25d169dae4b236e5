package recovery

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
)

// currentTermKey is where hashicorp/raft keeps a node's term.
var currentTermKey = []byte("CurrentTerm")

// FromDatabase makes the node of a blank data directory the only member of a new cluster, with
// the records that view shows of a database whose state row is state. It writes nothing to the
// database; at its next start the node finds that it is of the former cluster, and builds it anew.
//
// The steps are those of FromLog.
func FromDatabase(ctx context.Context, cfg Config, state model.StoreState, view raft.View) error {
	records, err := countRecords(ctx, view)
	if err != nil {
		return err
	}
	switch {
	case state.Restoring:
		return fmt.Errorf("%w: a snapshot was being loaded into the database of %s, and only a part of the records may be there; use another node's, or a backup of it", model.ErrCorrupt, state.Node)
	case records == 0 || state.Applied.Index == 0:
		return fmt.Errorf("%w: the database of %s holds no records", errNothingLeft, state.Node)
	}
	plan := cfg.newPlan(datadir.FromDatabase, state.Cluster)
	plan.Last, plan.Records = state.Applied, records
	if plan.Former != state.Cluster {
		return fmt.Errorf("%w: the recovery that was broken off was of cluster %s, the database is of %s", model.ErrForeignStore, plan.Former, state.Cluster)
	}
	if err := cfg.Check(ctx, plan); err != nil {
		return err
	}
	if err := cfg.begin(ctx, plan); err != nil {
		return err
	}
	if err := cfg.writeState(ctx, plan, view); err != nil {
		return err
	}
	return cfg.Dir.EndRecovery()
}

// writeState writes what a node has after a snapshot took the place of its whole log.
func (cfg *Config) writeState(ctx context.Context, plan Plan, view raft.View) (err error) {
	stores, err := openStores(cfg.Dir, cfg.Log, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Close()) }()
	if err := stores.Stable.SetUint64(currentTermKey, plan.Last.Term); err != nil {
		return fmt.Errorf("write the term to %s: %w", cfg.Dir.File(datadir.StableFile), err)
	}
	cfg.reached("term written")
	return cfg.writeSnapshot(ctx, plan, stores.Snapshots, view)
}
