package service

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/service/state"
)

const (
	reloadLockTTL  = 30 * time.Second
	redisScanCount = 500
)

var errLockLost = errors.New("another node took over the reload of the shared Redis")

// redisReload is one reload of Redis while it goes on. Nil stands for none: there is no Redis, or this node may lack
// records that others have put there.
type redisReload struct {
	redis    *VersionRedisService
	records  *state.Records
	current  func() bool // whether this node has all that others may have put there
	observer Observer
	log      *slog.Logger
	token    string
	began    time.Time
	locked   bool // it is this node's turn
	err      error
	// How many records Redis lacked or had otherwise, and how many keys it had of records that are gone.
	written, deleted int
}

func (s *VersionService) beginRedisReload(ctx context.Context) *redisReload {
	if s.redis.redisDao == nil || !s.level.current.Load() {
		return nil
	}
	r := &redisReload{
		redis: s.redis, records: s.mysql.records, observer: s.settings.Observer, log: s.log, token: rand.Text(), began: time.Now(),
		current: func() bool { return s.guard.Serving() && s.level.current.Load() },
	}
	r.locked, r.err = s.redis.redisDao.TryLock(ctx, r.token, reloadLockTTL)
	return r
}

// page brings Redis to what these rows are. The first error ends the reload.
func (r *redisReload) page(ctx context.Context, page []model.Version) {
	if r == nil || !r.locked || r.err != nil {
		return
	}
	exists, err := r.redis.VersionExists(ctx, page)
	if err == nil {
		r.writeMissing(page, exists)
		err = r.keepLock(ctx)
	}
	r.err = err
}

// finish deletes what is gone, if all rows were seen, and lets another node have its turn.
func (r *redisReload) finish(ctx context.Context, errRows error) error {
	if r == nil {
		return nil
	}
	if r.locked && r.err == nil && errRows == nil && r.current() {
		r.err = r.deleteOrphans(ctx)
	}
	if r.locked {
		_, err := r.redis.redisDao.Unlock(context.WithoutCancel(ctx), r.token)
		r.err = errors.Join(r.err, err)
	}
	if r.locked && r.err == nil {
		r.redis.writer.recovered()
		r.tell()
	}
	r.observer.Reloaded(r.locked, time.Since(r.began), errors.Join(r.err, errRows))
	return r.err
}

// tell logs what a reload has mended, as after somebody flushed Redis or wrote to it. What this node's own
// writes were about to change anyway does not count.
func (r *redisReload) tell() {
	if r.written+r.deleted > 0 {
		r.log.Info("Redis did not hold what the records are, and is brought back in line", "written", r.written, "deleted", r.deleted)
	}
}

// keepLock holds on to the lock between two pages.
func (r *redisReload) keepLock(ctx context.Context) error {
	kept, err := r.redis.redisDao.ExtendLock(ctx, r.token, reloadLockTTL)
	if err == nil && !kept {
		return errLockLost
	}
	return err
}

// writeMissing queues what Redis lacks behind what the applier queues, so that an older row of the
// view does not take the place of a newer one; should it, the revision gives it away. What somebody had queued already
// does not count.
func (r *redisReload) writeMissing(page []model.Version, exists []bool) {
	for i, v := range page {
		current, exist := r.records.Get(v.ID)
		if !exists[i] && exist && current == state.MarkOf(&v) {
			if !r.redis.writer.underWay(v.ID) {
				r.written++
			}
			r.redis.writer.set(r.redis.cachedVersion(v))
		}
	}
	r.redis.Flush()
}

func (r *redisReload) deleteOrphans(ctx context.Context) error {
	redisDao := r.redis.redisDao
	for cursor := uint64(0); ; {
		ids, next, err := redisDao.ScanIDs(ctx, cursor, redisScanCount)
		if err != nil {
			return err
		}
		orphans := r.orphans(ids)
		if !r.current() {
			return nil // a store that goes out of use has an empty index, by which all are
		}
		for _, id := range orphans {
			if !r.redis.writer.underWay(id) {
				r.deleted++
			}
		}
		if err := redisDao.DeleteMany(ctx, orphans); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if !group.Pause(ctx, reloadPauseMin) {
			return ctx.Err()
		}
		if err := r.keepLock(ctx); err != nil {
			return err
		}
	}
}

func (r *redisReload) orphans(ids []string) []string {
	var gone []string
	for _, id := range ids {
		if _, exists := r.records.Get(id); !exists {
			gone = append(gone, id)
		}
	}
	return gone
}
