package cluster

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"testing"

	"versiond/model"
	"versiond/test/damage"
)

// Contents is all that a node's database holds, as of one moment.
type Contents struct {
	// Rows are in the byte order of their ids.
	Rows  []model.Version
	State model.StoreState
}

// Database is a node's database seen from outside. Read may be called while the node runs, the other
// methods only where they say so.
type Database interface {
	Read(ctx context.Context) (Contents, error)
	// EachChange calls do with those that are kept with greater revisions, in their order and without details, until that
	// fails. It may be called while the node runs.
	EachChange(ctx context.Context, after uint64, do func(*model.Change) error) error
	// Harm does a kind of damage to it, under a running node too.
	Harm(kind damage.Kind)
	// Drop destroys it; on MySQL also under a running node.
	Drop()
	// Save copies it aside under a label, in place of an earlier copy; PutBack puts the copy in its place.
	// The node is stopped.
	Save(label string)
	PutBack(label string)
	// Swap exchanges it with another of the same cluster. Both nodes are stopped.
	Swap(other Database)
}

// store is what a cluster's nodes keep their records in.
type store interface {
	// env returns the variables that make the node use it.
	env(node string) []string
	// addresses are the servers' on this machine: a node with a machine of its own needs a way there.
	addresses(node string) []string
	database(node, dir string) Database
	// lines returns what lies between the node and its servers; nil where nothing does.
	lines(node string) *Lines
}

func newStore(t testing.TB, c *Cluster, number int) store {
	t.Helper()
	switch {
	case c.cfg.Shared == nil:
		return embedded{t}
	case c.cfg.PerNode:
		return newPerNodeStore(t, c.cfg, number)
	}
	return newServerStore(t, c.cfg.Shared, number)
}

// readContents is the same on every database: two statements in one consistent view.
func readContents(ctx context.Context, db beginner, isolation sql.IsolationLevel) (contents Contents, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: isolation})
	if err != nil {
		return contents, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	s := &contents.State
	const selectState = "SELECT cluster_id, node_id, store_id, applied_index, applied_term, restoring, checksum, changes_from, shape, seal FROM versiond_state"
	if err := tx.QueryRowContext(ctx, selectState).Scan(&s.Cluster, &s.Node, &s.Store, &s.Applied.Index, &s.Applied.Term, &s.Restoring, &s.Checksum, &s.ChangesFrom, &s.Shape, &s.Seal); err != nil {
		return contents, err
	}
	contents.Rows, err = readRows(ctx, tx)
	return contents, err
}

func readRows(ctx context.Context, tx *sql.Tx) ([]model.Version, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, version_no, platform, revision, COALESCE(scheme, ''), COALESCE(min_version_no, ''), COALESCE(from_version_no, ''), "+
		"COALESCE(mandatory, 0), rollout_percent, COALESCE(withdrawn, 0), COALESCE(attributes, 'null') FROM versions ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []model.Version
	for rows.Next() {
		v, d, attributes := model.Version{}, model.Details{}, []byte(nil)
		err := rows.Scan(&v.ID, &v.VersionNo, &v.Platform, &v.Revision, &d.Scheme, &d.MinVersionNo, &d.FromVersionNo, &d.Mandatory, &d.RolloutPercent, &d.Withdrawn, &attributes)
		if err == nil {
			err = json.Unmarshal(attributes, &d.Attributes)
		}
		if err != nil {
			return nil, err
		}
		v.Details = d.OrNil()
		all = append(all, v)
	}
	return all, rows.Err()
}

// readChanges is the same on every database.
func readChanges(ctx context.Context, db beginner, after uint64, do func(*model.Change) error) (err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	rows, err := tx.QueryContext(ctx, "SELECT revision, op, id, platform, COALESCE(was_platform, ''), COALESCE(version_no, '') FROM version_changes WHERE revision > ? ORDER BY revision", after)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c model.Change
		err := rows.Scan(&c.Revision, &c.Op, &c.ID, &c.Platform, &c.WasPlatform, &c.VersionNo)
		if err == nil {
			err = do(&c)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// beginner is a database, or one connection to it.
type beginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}
