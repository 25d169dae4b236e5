package service

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"versiond/model"
	"versiond/raft"
)

const (
	// levelInterval paces the question below, so that a node is ready soon after it could be.
	levelInterval = 50 * time.Millisecond
	// currentInterval is how soon a node that is ready notices that its log takes nothing. That its leader is gone it is told.
	currentInterval = 250 * time.Millisecond
	// levelTimeout is how long an answer is waited for before a fresh one is asked for: what was committed then
	// is long ago for a node that fell asleep over it.
	levelTimeout = 5 * time.Second
)

// level is how this node's store stands to what the cluster has committed. A store that a node finds at its
// start says nothing about that: it may be empty, or of last week.
type level struct {
	// reached is set once the store has held, since the start of the process, all that was committed when the
	// node asked. Until then no read sees it that does not ask the leader itself.
	reached atomic.Bool
	// current is reached, until the node is without a leader: what is committed then, it cannot know.
	current atomic.Bool
	// target is the index that the store has to reach, 0 while nobody has said.
	target atomic.Uint64
}

// levelWatch finds out when the store is level with the cluster.
type levelWatch struct {
	*level
	node    *raft.Node
	serving func() bool
	indexOf indexOf // what is committed
	redis   *VersionRedisService
}

// watch asks at the start, and again whenever the node was without a leader.
func (l *levelWatch) watch(ctx context.Context) {
	for ctx.Err() == nil {
		l.look(ctx)
		interval := levelInterval
		if l.current.Load() {
			interval = currentInterval
		}
		select {
		case <-l.node.LeaderChanged():
		case <-time.After(interval):
		case <-ctx.Done():
		}
	}
}

func (l *levelWatch) look(ctx context.Context) {
	switch {
	case !l.hearsLeader():
		l.current.Store(false)
		l.target.Store(0)
	case !l.current.Load():
		l.reach(ctx)
	}
}

// hearsLeader is false also while the log takes nothing: the leader is known then, and what it sends is lost.
func (l *levelWatch) hearsLeader() bool {
	id, _ := l.node.Leader()
	return id != "" && l.node.LogFailure() == nil
}

// reach learns from the leader, which a quorum confirms, what is committed now, and waits for the store
// to have it.
func (l *levelWatch) reach(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, levelTimeout)
	defer cancel()
	index, err := l.indexOf(ctx, model.LevelLinearizable)
	if err != nil {
		return // nobody leads yet; it is asked again
	}
	l.target.Store(index)
	if l.node.WaitApplied(ctx, index) == nil && l.serving() {
		l.reached.Store(true)
		l.current.Store(true)
		l.redis.Flush() // what CacheInternal kept back
	}
}

// check returns an error that says how far a store that has applied so much is from being level with the cluster.
func (l *level) check(applied uint64) error {
	if l.current.Load() {
		return nil
	}
	target := l.target.Load()
	if target == 0 {
		return fmt.Errorf("%w: it has applied index %d, and no leader has told it yet what is committed", model.ErrNotCaughtUp, applied)
	}
	return fmt.Errorf("%w: it has applied index %d of %d", model.ErrNotCaughtUp, applied, target)
}
