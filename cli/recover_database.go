package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"versiond/dao"
	"versiond/db"
	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
)

func (r *recoverCommand) onMySQL() bool { return r.cfg.MySQL.DSN.Reveal() != "" }

// open opens the node's database as it is; fs.ErrNotExist when there is none to open. Nothing is read
// from a MySQL server yet.
func (r *recoverCommand) open() (*dao.VersionMysqlDao, error) {
	if r.onMySQL() {
		gormDB, _, err := db.OpenMySQL(r.cfg.MySQL.DSN.Reveal(), r.node.ID, r.log)
		return &dao.VersionMysqlDao{DB: gormDB}, err
	}
	path := filepath.Join(r.path(), db.SQLiteFile)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	gormDB, err := db.OpenSQLiteReadOnly(path)
	return &dao.VersionMysqlDao{DB: gormDB}, err
}

// inspectDatabase returns the state row of the node's database, nil when it has none, or is a file that is damaged, which the
// next start sets aside, and an error when the recovered node would not start on it.
func (r *recoverCommand) inspectDatabase(ctx context.Context, dir *datadir.Dir) (_ *model.StoreState, err error) {
	store, err := r.open()
	if errors.Is(err, fs.ErrNotExist) || db.IsDamaged(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close(store.DB)) }()
	state, err := store.State(ctx)
	switch {
	case errors.Is(err, model.ErrNoState), db.IsDamaged(err):
		return nil, nil
	case err != nil && !errors.Is(err, model.ErrStoreDiffers):
		return nil, fmt.Errorf("the node's database cannot be read, so nobody knows whether the node would start on it: %w", err)
	case state.Node != r.node.ID || state.Cluster != dir.Identity().Cluster && !slices.Contains(dir.Former(), state.Cluster):
		return nil, fmt.Errorf("%w: the database is that of node %q of cluster %s; give %s its own database",
			model.ErrForeignStore, state.Node, state.Cluster, r.node.ID)
	}
	return &state, nil
}

// openKept opens the database that a cluster is recovered from.
func (r *recoverCommand) openKept() (*dao.VersionMysqlDao, error) {
	store, err := r.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s in %s to recover from: put the kept one there, with the files %s-wal and -shm if it has them, or set mysql.dsn", db.SQLiteFile, r.path(), db.SQLiteFile)
	}
	return store, err
}

func (r *recoverCommand) keptState(ctx context.Context, store *dao.VersionMysqlDao) (model.StoreState, error) {
	state, err := store.State(ctx)
	switch {
	case errors.Is(err, model.ErrNoState):
		return state, fmt.Errorf("there is nothing to recover from: %w", err)
	case state.Node != "" && state.Node != r.node.ID:
		return state, fmt.Errorf("%w: the database is that of node %q: recover that node", model.ErrForeignStore, state.Node)
	case errors.Is(err, model.ErrStoreDiffers) && state.Store != "":
		return state, nil // operators are told
	}
	return state, err
}

// keptView is a view of a kept database as it is, also when somebody else has changed it.
type keptView struct{ *dao.View }

// Page returns the records of every platform.
func (v keptView) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
	return v.View.Page(ctx, model.ListOptions{After: after, Limit: limit})
}

// differs reports whether the records contradict the checksum that the node stored with them. It reads
// the database and changes nothing.
func (r *recoverCommand) differs(ctx context.Context, records raft.VersionServiceInterface, state model.StoreState) (bool, error) {
	if !state.Proven() {
		return true, nil
	}
	err := records.LoadInternal(ctx, state.Cluster)
	if errors.Is(err, model.ErrStoreDiffers) {
		return true, nil
	}
	return false, err
}
