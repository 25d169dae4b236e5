package service

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"versiond/model"
)

const (
	reloadLockTTL = 30 * time.Second
	// reloadPause between pages leaves the database and Redis to the requests of clients.
	reloadPause    = 2 * time.Millisecond
	redisScanCount = 500
)

// ReLoadCacheDataInternal brings Redis to what the database holds: it writes what Redis lacks or has
// differently, and deletes keys whose record is gone. It reads the table page by page and never holds
// it in memory. Nodes that share a Redis take turns. Without Redis there is nothing to do.
func (s *VersionService) ReLoadCacheDataInternal(ctx context.Context) error {
	if s.redis.redisDao == nil || !s.node.Serving() {
		return nil
	}
	began := time.Now()
	done, err := s.reload(ctx)
	s.observer.Reloaded(done, time.Since(began), err)
	return err
}

// reload says whether it was this node's turn.
func (s *VersionService) reload(ctx context.Context) (bool, error) {
	token := rand.Text()
	locked, err := s.redis.redisDao.TryLock(ctx, token, reloadLockTTL)
	if err != nil || !locked {
		return false, err
	}
	err = s.reloadPages(ctx, token)
	if err == nil {
		err = s.deleteOrphans(ctx, token)
	}
	_, errUnlock := s.redis.redisDao.Unlock(context.WithoutCancel(ctx), token)
	return true, errors.Join(err, errUnlock)
}

var errLockLost = errors.New("another node took over the reload of the shared Redis")

// keepLock holds on to the lock between two pages.
func (s *VersionService) keepLock(ctx context.Context, token string) error {
	select {
	case <-time.After(reloadPause):
	case <-ctx.Done():
		return ctx.Err()
	}
	kept, err := s.redis.redisDao.ExtendLock(ctx, token, reloadLockTTL)
	if err == nil && !kept {
		return errLockLost
	}
	return err
}

func (s *VersionService) reloadPages(ctx context.Context, token string) error {
	return s.mysql.GetAllVersions(ctx, func(page []model.Version) error {
		exists, err := s.redis.VersionExists(ctx, page)
		if err != nil {
			return err
		}
		if err := s.writeMissing(ctx, page, exists); err != nil {
			return err
		}
		return s.keepLock(ctx, token)
	})
}

// writeMissing queues what Redis lacks behind what the applier queues, so that an older row of the
// view does not take the place of a newer one; should it, the revision gives it away.
func (s *VersionService) writeMissing(ctx context.Context, page []model.Version, exists []bool) error {
	for i, v := range page {
		current, exist := s.mysql.revisions.get(v.ID)
		if !exists[i] && exist && current == markOf(&v) {
			s.redis.writer.set(s.redis.cachedVersion(v))
		}
	}
	s.redis.Flush()
	return ctx.Err()
}

func (s *VersionService) deleteOrphans(ctx context.Context, token string) error {
	for cursor := uint64(0); ; {
		ids, next, err := s.redis.redisDao.ScanIDs(ctx, cursor, redisScanCount)
		if err != nil {
			return err
		}
		if err := s.redis.redisDao.DeleteMany(ctx, s.orphans(ids)); err != nil {
			return err
		}
		if cursor = next; cursor == 0 {
			return nil
		}
		if err := s.keepLock(ctx, token); err != nil {
			return err
		}
	}
}

func (s *VersionService) orphans(ids []string) []string {
	var gone []string
	for _, id := range ids {
		if _, exists := s.mysql.VersionExists(id); !exists {
			gone = append(gone, id)
		}
	}
	return gone
}
