package service

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/raft"
	"versiond/service/cluster"
	"versiond/service/integrity"
)

const (
	// followInterval is how soon a read that waits for this node's applier sees that it waits in vain.
	followInterval = 100 * time.Millisecond
	// followMost is how long it waits for what the leader has: an import may leave seconds of work behind.
	followMost = time.Second
	// asLongAsAsked is for what no leader can do in this node's place.
	asLongAsAsked = time.Duration(math.MaxInt64)
)

// errPassToLeader means that this node's own store cannot serve a read that the leader's can.
var errPassToLeader = errors.New("pass the read to the leader")

// GetVersionByID returns a record as current as opts asks. Errors: model.ErrNotFound, ErrNoLeader,
// ErrTimeout, ErrNotCaughtUp, ErrStoreUnavailable, ErrNodeRemoved.
func (s *VersionService) GetVersionByID(ctx context.Context, id string, opts model.ReadOptions) (model.Result, error) {
	found, index, err := s.reads.read(ctx, model.Query{ID: id}, opts)
	if err == nil && !found.Exists {
		err = model.ErrNotFound
	}
	return model.Result{Record: found.Record, Index: index}, err
}

// ListVersions returns one page in the byte order of the ids, and the applied index that it reflects.
func (s *VersionService) ListVersions(ctx context.Context, list model.ListOptions, opts model.ReadOptions) (model.Page, uint64, error) {
	found, index, err := s.reads.read(ctx, model.Query{Page: &list}, opts)
	if err != nil {
		return model.Page{}, 0, err
	}
	return *found.Page, index, nil
}

// History returns one page of the changes of a record, the newest first, and the applied index that it reflects. Its errors
// are those of GetVersionByID: model.ErrNotFound is for an id that never was, or that is forgotten.
func (s *VersionService) History(ctx context.Context, which model.HistoryOptions, opts model.ReadOptions) (model.History, uint64, error) {
	found, index, err := s.reads.read(ctx, model.Query{History: &which}, opts)
	if err == nil && found.History == nil {
		err = model.ErrNotFound
	}
	if err != nil {
		return model.History{}, index, err
	}
	return *found.History, index, nil
}

// LeaderRead answers what another member, which ack is of, passes on; model.ErrNotLeader on every node but the leader.
func (s *VersionService) LeaderRead(ctx context.Context, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	return s.reads.readLeading(ctx, queries, opts, ack)
}

// LeaderReadIndex returns the index for reads of a level, of the member that ack is of or of this node itself, on the
// leader; model.ErrNotLeader elsewhere.
func (s *VersionService) LeaderReadIndex(ctx context.Context, level model.Level, ack model.TermAck) (uint64, error) {
	return s.reads.leadingIndex(ctx, level, ack)
}

// reader answers queries as current as they were asked for, from what this node has applied or at the leader.
type reader struct {
	node      *raft.Node
	cluster   *cluster.Cluster
	peers     PeerClient
	level     *level
	guard     *integrity.Guard
	lookup    *lookup
	observer  Observer
	forwarder *forwarder[model.Query, model.Found]
	indexes   map[model.Level]*group.Rounds[uint64]
}

// start makes what reads share, which ends with ctx.
func (r *reader) start(ctx context.Context) *reader {
	r.indexes = r.newIndexes(ctx)
	r.forwarder = newForwarder(ctx, readLimits, r.node.Leader, func(ctx context.Context, leader string, queries []model.Query) ([]model.Found, uint64, error) {
		ctx, cancel := context.WithTimeout(ctx, readIndexTimeout)
		defer cancel()
		return r.peers.Read(ctx, leader, queries, model.ReadOptions{Level: model.LevelLinearizable}, r.termAck())
	})
	return r
}

// read answers one query, and returns the applied index that the answer reflects: together with what else waits, at
// the leader, where this node is behind its own log; else here, and at the leader where this node cannot.
func (r *reader) read(ctx context.Context, q model.Query, opts model.ReadOptions) (model.Found, uint64, error) {
	if r.shouldForward(q, opts) {
		if found, index, err := r.forwarder.forward(ctx, q, len(q.ID), 1); err == nil {
			return found, max(index, found.Reflects()), nil
		}
	}
	found, index, err := r.readHere(ctx, []model.Query{q}, opts, r.freshIndex)
	if errors.Is(err, errPassToLeader) {
		found, index, err = r.readThere(ctx, []model.Query{q}, opts)
	}
	if err != nil {
		return model.Found{}, 0, err
	}
	return found[0], index, nil
}

// shouldForward reports whether a read should go to the leader rather than wait for this node's applier. The leader has
// applied what is acknowledged; to wait for it here would make this node apply entry by entry what it could apply
// together.
func (r *reader) shouldForward(q model.Query, opts model.ReadOptions) bool {
	return opts.Level == model.LevelLinearizable && opts.MinIndex == 0 && q.Page == nil && q.Candidates == nil && q.History == nil && !r.node.IsLeader() &&
		r.node.LastIndex() > r.node.AppliedIndex() && r.cluster.Removed() == nil
}

// readHere answers from this node's store once that is current enough, and does it again when the store was taken out of
// use or replaced meanwhile.
func (r *reader) readHere(ctx context.Context, queries []model.Query, opts model.ReadOptions, indexOf indexOf) ([]model.Found, uint64, error) {
	for {
		gen := r.lookup.trust.Gen()
		if err := r.awaitFresh(ctx, opts, indexOf, followMost); err != nil {
			return nil, 0, err
		}
		found, index, err := r.lookup.answer(ctx, queries, opts.Level)
		if r.lookup.trust.Gen() != gen {
			continue
		}
		if len(found) == 1 { // a client that asks elsewhere from this index on must not be shown less than here
			index = max(index, found[0].Reflects())
		}
		return found, index, err
	}
}

// readThere answers where the leader is.
func (r *reader) readThere(ctx context.Context, queries []model.Query, opts model.ReadOptions) (found []model.Found, index uint64, err error) {
	err = r.cluster.OnLeader(ctx, func(ctx context.Context) error {
		found, index, err = r.readLeading(ctx, queries, opts, model.TermAck{})
		return err
	}, func(ctx context.Context, leader string) error {
		found, index, err = r.peers.Read(ctx, leader, queries, opts, r.termAck())
		return inTime(ctx, err)
	})
	return found, index, err
}

// readLeading answers what the member that ack is of passes on, or this node itself, which leads.
func (r *reader) readLeading(ctx context.Context, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	found, index, err := r.readHere(ctx, queries, opts, func(ctx context.Context, level model.Level) (uint64, error) {
		return r.leadingIndex(ctx, level, ack)
	})
	if errors.Is(err, errPassToLeader) {
		err = model.ErrNotLeader // it was replaced while it read
	}
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

// awaitFresh returns once this node's store reflects what opts asks for, errPassToLeader when that takes more than most.
func (r *reader) awaitFresh(ctx context.Context, opts model.ReadOptions, indexOf indexOf, most time.Duration) error {
	if err := r.cluster.Removed(); err != nil {
		return err
	}
	if opts.Level == model.LevelNone {
		if !r.level.reached.Load() || !r.guard.Serving() {
			return model.ErrNotCaughtUp
		}
		return r.node.WaitApplied(ctx, opts.MinIndex)
	}
	index, err := indexOf(ctx, opts.Level)
	if err != nil {
		return err
	}
	if err := r.awaitApplied(ctx, index, max(index, opts.MinIndex), most); err != nil {
		return err
	}
	if !r.guard.Serving() {
		return model.ErrNotCaughtUp
	}
	return nil
}

// awaitApplied waits until this node has applied until, or turns out not to get as far as fresh, where
// the leader is, in time.
func (r *reader) awaitApplied(ctx context.Context, fresh, until uint64, most time.Duration) error {
	for waited := time.Duration(0); ; waited += followInterval {
		if !r.node.IsLeader() && (r.cannotFollow(fresh) || waited >= most && r.node.AppliedIndex() < fresh) {
			return errPassToLeader
		}
		if r.node.AppliedIndex() >= until {
			return nil
		}
		if err := r.node.HeldUp(); err != nil && r.node.IsLeader() {
			return err
		}
		step, cancel := context.WithTimeout(ctx, followInterval)
		err := r.node.WaitApplied(step, until)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func (r *reader) cannotFollow(index uint64) bool {
	if r.node.LogFailure() != nil && index > r.node.AppliedIndex() {
		return true // what it lacks cannot reach it
	}
	return !r.guard.Serving() || r.node.Stuck() || r.node.StoreFailure() != nil || index > r.node.AppliedIndex()+cluster.FarBehind
}
