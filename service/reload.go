package service

import (
	"context"
	"errors"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/raft"
	"versiond/service/integrity"
)

// The pause after each page leaves the database and Redis to the requests of clients: all rows are read
// with about a quarter of one processor, and a million of them in half a minute where there is little else to do, in some
// minutes on a machine that is busy. Longer pauses would make the store keep more of what changes beside the view.
const (
	reloadPauseShare = 3
	reloadPauseMin   = 2 * time.Millisecond
	reloadPauseMax   = 50 * time.Millisecond
)

// ReLoadCacheDataInternal reads all rows page by page, in one consistent view and without ever holding
// them in memory. It holds them against the running checksum, and brings Redis to what they are: it
// writes what Redis lacks or has differently, and deletes keys whose record is gone. Nodes that share a
// Redis take turns with that; the check each of them does, and a Redis that fails does not stop it. In
// the end it compares its checksum with those of the other members.
func (s *VersionService) ReLoadCacheDataInternal(ctx context.Context) error {
	if !s.guard.Serving() {
		return nil
	}
	r := s.beginRedisReload(ctx)
	errCheck := s.rows.check(ctx, r.page)
	err := errors.Join(errCheck, r.finish(ctx, errCheck))
	s.guard.CompareWithMembers(ctx)
	return err
}

// rows reads all rows of the store.
type rows struct {
	node     *raft.Node
	mysql    *VersionMysqlService
	trust    *integrity.Trust
	observer Observer
}

// checkAll sees whether the rows are what the log makes.
func (r *rows) checkAll(ctx context.Context) error {
	return r.check(ctx, func(context.Context, []model.Version) {})
}

// check passes every row to visit, and sees whether they are what the log makes. If they are not,
// that is seen to and no error.
func (r *rows) check(ctx context.Context, visit func(context.Context, []model.Version)) error {
	began := time.Now()
	err := r.visit(ctx, visit)
	r.observer.Checked(time.Since(began), err)
	if r.trust.Err() != nil || errors.Is(err, model.ErrStoreDiffers) {
		return nil
	}
	return err
}

func (r *rows) visit(ctx context.Context, visit func(context.Context, []model.Version)) error {
	view, _, err := r.node.OpenView(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	err = r.mysql.GetAllVersions(ctx, view, func(page []model.Version) error {
		visit(ctx, page)
		if !group.Pause(ctx, reloadPause(time.Since(began))) {
			return ctx.Err()
		}
		began = time.Now()
		return nil
	})
	return errors.Join(err, view.Close())
}

// reloadPause is how long to rest after a page that took so long.
func reloadPause(took time.Duration) time.Duration {
	return min(max(reloadPauseShare*took, reloadPauseMin), reloadPauseMax)
}
