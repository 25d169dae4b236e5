package service

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"versiond/dao"
	"versiond/failpoint"
	"versiond/group"
)

const (
	// redisPendingMax bounds what waits for Redis. What does not fit is left to the reload.
	redisPendingMax = 50_000
	redisBatchMax   = 500
	redisPause      = time.Second // after a failure
	redisTimeout    = 2 * time.Second
)

// redisWriter brings changes to Redis off the waiting path: the newest value for each id, in batches.
// When Redis fails, what it was to get is dropped, and the reload mends it.
type redisWriter struct {
	redisDao *dao.VersionRedisDao
	log      *slog.Logger
	wake     group.Signal
	failed   atomic.Bool
	failures atomic.Uint64

	mu      sync.Mutex
	pending map[string]*dao.CachedVersion // nil removes the key
	writing map[string]bool               // what was pending and is on its way
}

func newRedisWriter(redisDao *dao.VersionRedisDao, log *slog.Logger) *redisWriter {
	return &redisWriter{redisDao: redisDao, log: log, wake: group.NewSignal(), pending: map[string]*dao.CachedVersion{}}
}

func (w *redisWriter) set(v dao.CachedVersion) { w.put(v.ID, &v) }

func (w *redisWriter) remove(id string) { w.put(id, nil) }

func (w *redisWriter) put(id string, v *dao.CachedVersion) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, there := w.pending[id]; there || len(w.pending) < redisPendingMax {
		w.pending[id] = v
	}
}

// underWay reports whether the key of an id is about to change anyway.
func (w *redisWriter) underWay(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, pending := w.pending[id]
	return pending || w.writing[id]
}

// waiting is how many changes wait to be written.
func (w *redisWriter) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending)
}

// failing reports whether the last write failed; readers then spare themselves the wait.
func (w *redisWriter) failing() bool { return w.failed.Load() }

// recovered notes that Redis did all that a reload asked of it, for readers to ask it again: a node on
// which nothing is written would not find out.
func (w *redisWriter) recovered() {
	if w.failed.Swap(false) {
		w.log.Info("Redis takes writes again")
	}
}

func (w *redisWriter) run(ctx context.Context) {
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return
		}
		for sets, removes := w.take(); len(sets)+len(removes) > 0; sets, removes = w.take() {
			if !w.write(ctx, sets, removes) {
				return
			}
		}
	}
}

func (w *redisWriter) take() (sets []dao.CachedVersion, removes []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = map[string]bool{}
	for id, v := range w.pending {
		if len(sets)+len(removes) == redisBatchMax {
			break
		}
		delete(w.pending, id)
		w.writing[id] = true
		if v == nil {
			removes = append(removes, id)
		} else {
			sets = append(sets, *v)
		}
	}
	return sets, removes
}

// write reports whether to go on, which it does until the context ends.
func (w *redisWriter) write(ctx context.Context, sets []dao.CachedVersion, removes []string) bool {
	err := w.writeOnce(ctx, sets, removes)
	if err == nil {
		w.recovered()
		return true
	}
	if !w.failed.Swap(true) && ctx.Err() == nil {
		w.log.Warn("Redis does not take writes; reads go to the database, the reload will mend the cache", "err", err)
	}
	w.failures.Add(1)
	return group.Pause(ctx, redisPause)
}

func (w *redisWriter) writeOnce(ctx context.Context, sets []dao.CachedVersion, removes []string) error {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	if len(sets) > 0 {
		if err := w.redisDao.SetMany(ctx, sets); err != nil {
			return err
		}
	}
	failpoint.Here(failpoint.CacheWritten)
	if len(removes) > 0 {
		return w.redisDao.DeleteMany(ctx, removes)
	}
	return nil
}
