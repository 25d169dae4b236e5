package service

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"versiond/group"
	"versiond/model"
)

const (
	// levelInterval paces the question below, so that a node is ready soon after it could be.
	levelInterval = 50 * time.Millisecond
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

// watchLevel finds out when the store is level with the cluster. It asks at the start, and again whenever the
// node was without a leader.
func (s *VersionService) watchLevel(ctx context.Context) {
	for range group.Every(ctx, levelInterval) {
		switch {
		case !s.hearsLeader():
			s.level.current.Store(false)
			s.level.target.Store(0)
		case !s.level.current.Load():
			s.becomeLevel(ctx)
		}
	}
}

// hearsLeader is false also while the log takes nothing: the leader is known then, and what it sends is lost.
func (s *VersionService) hearsLeader() bool {
	id, _ := s.node.Leader()
	return id != "" && s.node.LogFailure() == nil
}

// becomeLevel learns from the leader, which a quorum confirms, what is committed now, and waits for the store
// to have it.
func (s *VersionService) becomeLevel(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, levelTimeout)
	defer cancel()
	index, err := s.readIndexOnce(ctx, model.LevelLinearizable)
	if err != nil {
		return // nobody leads yet; it is asked again
	}
	s.level.target.Store(index)
	if s.node.WaitApplied(ctx, index) == nil && s.serving() {
		s.level.reached.Store(true)
		s.level.current.Store(true)
		s.redis.Flush() // what CacheInternal kept back
	}
}

// checkLevel says how far the store is from being level with the cluster.
func (s *VersionService) checkLevel() error {
	if s.level.current.Load() {
		return nil
	}
	target := s.level.target.Load()
	if target == 0 {
		return fmt.Errorf("%w: it has applied index %d, and no leader has told it yet what is committed", model.ErrNotCaughtUp, s.node.AppliedIndex())
	}
	return fmt.Errorf("%w: it has applied index %d of %d", model.ErrNotCaughtUp, s.node.AppliedIndex(), target)
}
