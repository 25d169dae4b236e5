package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
	"versiond/service/cluster"
)

// followInterval is how soon a read that waits for this node's applier sees that it waits in vain.
const followInterval = 100 * time.Millisecond

// errPassToLeader says that this node's own store cannot serve a read that the leader's can.
var errPassToLeader = errors.New("pass the read to the leader")

// GetVersionByID returns a record as current as opts asks. Errors: model.ErrNotFound, ErrNoLeader,
// ErrTimeout, ErrNotCaughtUp, ErrStoreUnavailable, ErrNodeRemoved.
func (s *VersionService) GetVersionByID(ctx context.Context, id string, opts model.ReadOptions) (model.Result, error) {
	found, index, err := s.read(ctx, model.Query{ID: id}, opts)
	if err == nil && !found.Exists {
		err = model.ErrNotFound
	}
	return model.Result{Record: found.Record, Index: index}, err
}

// ListVersions returns one page in the byte order of the ids, and the applied index that it reflects.
func (s *VersionService) ListVersions(ctx context.Context, list model.ListOptions, opts model.ReadOptions) (model.Page, uint64, error) {
	found, index, err := s.read(ctx, model.Query{Page: &list}, opts)
	if err != nil {
		return model.Page{}, 0, err
	}
	return *found.Page, index, nil
}

// LeaderRead answers what another member, which ack is of, passes on; model.ErrNotLeader on every node but the leader.
func (s *VersionService) LeaderRead(ctx context.Context, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	found, index, err := s.readHere(ctx, queries, opts, func(ctx context.Context, level model.Level) (uint64, error) {
		return s.LeaderReadIndex(ctx, level, ack)
	})
	if errors.Is(err, errPassToLeader) {
		err = model.ErrNotLeader // it was replaced while it read
	}
	return found, index, err
}

// read answers one query, and returns the applied index that the answer reflects: together with what else waits, at
// the leader, where this node is behind its own log; else here, and at the leader where this node cannot.
func (s *VersionService) read(ctx context.Context, q model.Query, opts model.ReadOptions) (model.Found, uint64, error) {
	if s.shouldForward(q, opts) {
		if found, index, err := s.readForwarder.forward(ctx, q, len(q.ID), 1); err == nil {
			return found, index, nil
		}
	}
	queries := []model.Query{q}
	found, index, err := s.readHere(ctx, queries, opts, s.freshIndex)
	if errors.Is(err, errPassToLeader) {
		found, index, err = s.readThere(ctx, queries, opts)
	}
	if err != nil {
		return model.Found{}, 0, err
	}
	return found[0], index, nil
}

// shouldForward reports whether a read should go to the leader rather than wait for this node's applier. The leader has
// applied what is acknowledged; to wait for it here would make this node apply entry by entry what it could apply
// together.
func (s *VersionService) shouldForward(q model.Query, opts model.ReadOptions) bool {
	return opts.Level == model.LevelLinearizable && opts.MinIndex == 0 && q.Page == nil && !s.node.IsLeader() &&
		s.node.LastIndex() > s.node.AppliedIndex() && s.cluster.Removed() == nil
}

// readHere answers from this node's store once that is current enough, and does it again when the store was taken out of
// use or replaced meanwhile.
func (s *VersionService) readHere(ctx context.Context, queries []model.Query, opts model.ReadOptions, indexOf indexOf) ([]model.Found, uint64, error) {
	for {
		gen := s.trust.Gen()
		if err := s.awaitFresh(ctx, opts, indexOf); err != nil {
			return nil, 0, err
		}
		index := s.node.AppliedIndex()
		found, err := s.lookup.answer(ctx, queries, opts.Level)
		if s.trust.Gen() == gen {
			return found, index, err
		}
	}
}

// readThere answers where the leader is.
func (s *VersionService) readThere(ctx context.Context, queries []model.Query, opts model.ReadOptions) (found []model.Found, index uint64, err error) {
	err = s.cluster.OnLeader(ctx, func(ctx context.Context) error {
		found, index, err = s.LeaderRead(ctx, queries, opts, model.TermAck{})
		return err
	}, func(ctx context.Context, leader string) error {
		found, index, err = s.peers.Read(ctx, leader, queries, opts, s.termAck())
		return inTime(ctx, err)
	})
	return found, index, err
}

// inTime makes a model.ErrTimeout of what a leader did not answer before the read's time was over.
func inTime(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, model.ErrNoAnswer) {
		return fmt.Errorf("%w: %w (%v)", model.ErrTimeout, ctx.Err(), err) // %v: there is a leader
	}
	return err
}

// indexOf returns the index that reads of a level must reflect.
type indexOf func(context.Context, model.Level) (uint64, error)

// awaitFresh returns once this node's store reflects what opts asks for.
func (s *VersionService) awaitFresh(ctx context.Context, opts model.ReadOptions, indexOf indexOf) error {
	if opts.Level == model.LevelNone {
		if !s.level.reached.Load() || !s.serving() {
			return model.ErrNotCaughtUp
		}
		return s.node.WaitApplied(ctx, opts.MinIndex)
	}
	if err := s.cluster.Removed(); err != nil {
		return err
	}
	index, err := indexOf(ctx, opts.Level)
	if err != nil {
		return err
	}
	if err := s.awaitApplied(ctx, index, max(index, opts.MinIndex)); err != nil {
		return err
	}
	if !s.serving() {
		return model.ErrNotCaughtUp
	}
	return nil
}

// awaitApplied waits until this node has applied until, or turns out not to get as far as fresh, where
// the leader is, in time.
func (s *VersionService) awaitApplied(ctx context.Context, fresh, until uint64) error {
	for {
		if !s.node.IsLeader() && s.cannotFollow(fresh) {
			return errPassToLeader
		}
		if s.node.AppliedIndex() >= until {
			return nil
		}
		if err := s.node.HeldUp(); err != nil && s.node.IsLeader() {
			return err
		}
		step, cancel := context.WithTimeout(ctx, followInterval)
		err := s.node.WaitApplied(step, until)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func (s *VersionService) cannotFollow(index uint64) bool {
	if s.node.LogFailure() != nil && index > s.node.AppliedIndex() {
		return true // what it lacks cannot reach it
	}
	return !s.serving() || s.node.Stuck() || s.node.StoreFailure() != nil || index > s.node.AppliedIndex()+cluster.FarBehind
}
