package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/service/state"
)

const (
	// farBehind is the lag in log entries beyond which a node passes reads to the leader.
	farBehind = 5000
	// lookupTries bounds how often a read meets a row that is ahead of the index; once is common
	// under writes to the same id, ten times in a row means that somebody else writes to the table.
	lookupTries = 10
	// suspicionTries is how often is not common any more.
	suspicionTries = 2
	// publishWait is how long a committed row may take to be published.
	publishWait = 200 * time.Millisecond
	// ownReadTimeout is how long a node's own store may take for a read that the leader's can serve.
	ownReadTimeout = time.Second
	// followInterval is how soon a read that waits for this node's applier sees that it waits in vain.
	followInterval = 100 * time.Millisecond
	// readIndexTimeout bounds one question to the leader, so that a dead one is given up on.
	readIndexTimeout = 2 * time.Second
	// roundPace is how far apart rounds begin that are shared: reads that come closer together than that
	// cost more in rounds than in themselves.
	roundPace = time.Millisecond
)

// errPassToLeader says that this node's own store cannot serve a read that the leader's can.
var errPassToLeader = errors.New("pass the read to the leader")

// GetVersionByID returns a record as current as opts asks. Errors: model.ErrNotFound, ErrNoLeader,
// ErrTimeout, ErrNotCaughtUp, ErrStoreUnavailable, ErrNodeRemoved.
func (s *VersionService) GetVersionByID(ctx context.Context, id string, opts model.ReadOptions) (result model.Result, err error) {
	began := time.Now()
	result, prompt, err := s.readPromptly(ctx, id, opts)
	if prompt {
		return result, err
	}
	ctx, cancel := opts.Less(time.Since(began)).Bound(ctx)
	defer cancel()
	if s.leaderReads.apt(opts) {
		if result, err = s.leaderReads.read(ctx, id); err == nil || errors.Is(err, model.ErrNotFound) {
			return result, err
		}
	}
	err = s.read(ctx, opts, func(ctx context.Context) error {
		result.Index = s.node.AppliedIndex()
		row, err := s.lookup(ctx, id)
		result.Record = convertToRecord(row)
		return err
	}, func(ctx context.Context, leader string) error {
		result, err = s.peers.Get(ctx, leader, id, opts)
		return err
	})
	if err != nil {
		result.Record = model.VersionDB{} // of a try that did not count
	}
	return result, err
}

// ListVersions returns one page in the byte order of the ids, and the applied index that it reflects.
func (s *VersionService) ListVersions(ctx context.Context, list model.ListOptions, opts model.ReadOptions) (page model.Page, index uint64, err error) {
	ctx, cancel := opts.Bound(ctx)
	defer cancel()
	err = s.read(ctx, opts, func(ctx context.Context) error {
		index = s.node.AppliedIndex()
		var stored uint64
		gen := s.trust.Gen()
		if page, stored, err = s.listStored(ctx, list); err != nil {
			s.storeReads.failed(err)
			s.trust.FoundByRead(gen, err)
			return err
		}
		// The page may be ahead of what single reads see; they must not fall behind it.
		return s.node.WaitApplied(ctx, stored)
	}, func(ctx context.Context, leader string) error {
		page, index, err = s.peers.List(ctx, leader, list, opts)
		return err
	})
	return page, index, err
}

// listStored reads a page and the index that it reflects. A store that holds less than it did has lost
// commits, as one may that was killed: no page of it is shown, and the applier mends it.
func (s *VersionService) listStored(ctx context.Context, list model.ListOptions) (model.Page, uint64, error) {
	before := s.node.StoredIndex()
	page, stored, err := s.mysql.list(ctx, list)
	if errors.Is(err, model.ErrNoState) || err == nil && stored < before {
		s.node.VerifyStore()
		return model.Page{}, 0, wrongStore(fmt.Sprintf("it is at index %d and was left at %d", stored, before), err)
	}
	return page, stored, err
}

// read serves from this node's store once it is current enough, and from the leader's where this
// node's cannot become so.
func (s *VersionService) read(ctx context.Context, opts model.ReadOptions, local func(context.Context) error, remote func(ctx context.Context, leader string) error) error {
	err := s.readHere(ctx, opts, func(ctx context.Context) error { return s.readOwn(ctx, opts.Level, local) })
	if !errors.Is(err, errPassToLeader) {
		return err
	}
	return s.onLeader(ctx, func(ctx context.Context) error {
		if err := s.readHere(ctx, opts, local); !errors.Is(err, errPassToLeader) {
			return err
		}
		return model.ErrNotLeader // it was replaced meanwhile
	}, func(ctx context.Context, leader string) error { return inTime(ctx, remote(ctx, leader)) })
}

// inTime says of a leader that did not answer before the read's time was over that it took too long.
func inTime(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, model.ErrNoAnswer) {
		return fmt.Errorf("%w: %w (%v)", model.ErrTimeout, ctx.Err(), err) // %v: there is a leader
	}
	return err
}

// readOwn leaves time for the leader's store where that may be asked instead, and asks for it when this
// node's does not answer in time, or not at all.
func (s *VersionService) readOwn(ctx context.Context, level model.Level, local func(context.Context) error) error {
	if level == model.LevelNone || s.node.IsLeader() {
		return local(ctx)
	}
	own, cancel := context.WithTimeout(ctx, ownReadTimeout)
	defer cancel()
	err := local(own)
	late := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if late || errors.Is(err, model.ErrStoreUnavailable) && !s.node.IsLeader() {
		return errPassToLeader
	}
	return err
}

func (s *VersionService) readHere(ctx context.Context, opts model.ReadOptions, local func(context.Context) error) error {
	return s.readOnce(func() error { return s.awaitFresh(ctx, opts) }, func() error { return local(ctx) })
}

// readOnce reads once the store is fresh enough, and again when it was taken out of use or replaced
// while it was read.
func (s *VersionService) readOnce(await, local func() error) error {
	for {
		gen := s.trust.Gen()
		if err := await(); err != nil {
			return err
		}
		if err := local(); s.trust.Gen() == gen {
			return err
		}
	}
}

// awaitFresh returns once this node's store reflects what opts asks for.
func (s *VersionService) awaitFresh(ctx context.Context, opts model.ReadOptions) error {
	if opts.Level == model.LevelNone {
		if !s.level.reached.Load() || !s.serving() {
			return model.ErrNotCaughtUp
		}
		return s.node.WaitApplied(ctx, opts.MinIndex)
	}
	if err := s.whyRemoved(); err != nil {
		return err
	}
	index, err := s.freshIndex(ctx, opts.Level)
	if err != nil {
		return err
	}
	return s.awaitIndex(ctx, index, max(index, opts.MinIndex))
}

// awaitIndex is awaitApplied for a store that is to be read then.
func (s *VersionService) awaitIndex(ctx context.Context, fresh, until uint64) error {
	if err := s.awaitApplied(ctx, fresh, until); err != nil {
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
	return !s.serving() || s.node.Stuck() || s.node.StoreFailure() != nil || index > s.node.AppliedIndex()+farBehind
}

// freshIndex returns the index that a read of this level must reflect, looking for the leader until
// the context ends.
func (s *VersionService) freshIndex(ctx context.Context, level model.Level) (index uint64, err error) {
	err = s.withLeader(ctx, func(ctx context.Context) error {
		index, err = s.readIndexes[level].Do(ctx)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return 0, errors.Join(model.ErrTimeout, err)
	}
	return index, err
}

// newReadIndexes makes the rounds that reads of one level share: on the leader they confirm it, on
// a follower they ask it.
func (s *VersionService) newReadIndexes() map[model.Level]*group.Rounds[uint64] {
	rounds := map[model.Level]*group.Rounds[uint64]{}
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader} {
		rounds[level] = group.NewObservedRounds(s.ctx, func(ctx context.Context) (uint64, error) {
			ctx, cancel := context.WithTimeout(ctx, readIndexTimeout)
			defer cancel()
			return s.readIndexOnce(ctx, level)
		}, func(reads int, took time.Duration, err error) { s.observer.ReadRound(level, reads, took, err) })
		rounds[level].Pace(roundPace)
	}
	return rounds
}

func (s *VersionService) readIndexOnce(ctx context.Context, level model.Level) (uint64, error) {
	if s.node.IsLeader() {
		return s.LeaderReadIndex(ctx, level, model.TermAck{})
	}
	_, address := s.node.Leader()
	if address == "" {
		return 0, s.nobodyLeads()
	}
	index, err := s.peers.ReadIndex(ctx, address, level, s.termAck())
	if err != nil {
		// A question changes nothing: whatever went wrong, it may be asked again.
		return 0, fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return index, nil
}

// LeaderReadIndex returns the index for reads of a level, of the member that ack is of or of this node itself, on the
// leader; model.ErrNotLeader elsewhere.
func (s *VersionService) LeaderReadIndex(ctx context.Context, level model.Level, ack model.TermAck) (index uint64, err error) {
	if level == model.LevelLeader {
		index, err = s.node.LeaderIndex(ctx)
	} else {
		index, err = s.node.ReadIndexFor(ctx, ack)
	}
	return index, notLeaderInTime(err)
}

// notLeaderInTime says of a leader that could not prove in time that it leads that it does not.
func notLeaderInTime(err error) error {
	if errors.Is(err, model.ErrTimeout) {
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return err
}

// lookup finds the current row of an id. The revision index judges what caches and database say.
func (s *VersionService) lookup(ctx context.Context, id string) (model.Version, error) {
	for try := range lookupTries {
		seen, gen := s.node.AppliedIndex(), s.trust.Gen()
		current, exists := s.mysql.records.Get(id)
		if !exists {
			s.storeReads.absent.Add(1)
			return model.Version{}, model.ErrNotFound
		}
		if row, ok := s.redis.GetVersionByID(ctx, id, current); ok {
			return row, nil
		}
		row, err := s.mysql.GetVersionFromMysql(ctx, id)
		if err == nil && current.Contradicts(state.MarkOf(&row)) {
			return model.Version{}, s.wrongRow(gen, id)
		}
		found := err == nil && state.MarkOf(&row) == current
		s.storeReads.count(found)
		if found {
			s.redis.AddVersion(row)
			s.redis.Flush()
			return row, nil
		}
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			s.storeReads.failed(err)
			s.trust.FoundByRead(gen, err)
			return model.Version{}, err
		}
		if try > 0 {
			s.node.VerifyStore()
		}
		if try == suspicionTries {
			s.trust.Suspect()
		}
		s.awaitPublish(ctx, seen)
	}
	return model.Version{}, wrongStore(wrongRowOf(id), nil)
}

// wrongRow notes that a row has the revision that was applied, and another content.
func (s *VersionService) wrongRow(gen uint64, id string) error {
	err := fmt.Errorf("%w: %s", model.ErrStoreDiffers, wrongRowOf(id))
	s.trust.FoundByRead(gen, err)
	return wrongStore(wrongRowOf(id), err)
}

func wrongRowOf(id string) string {
	return fmt.Sprintf("the row of %q is not the one that was applied", id)
}

// wrongStore says to a client that the database answers, but not with what this node stored there.
func wrongStore(what string, cause error) error {
	return &model.StoreError{Detail: "the node's database does not hold what this node stored: " + what + "; the node mends it from its Raft log", Cause: cause}
}

// awaitPublish waits a moment for the change that the table shows already and the index does not.
func (s *VersionService) awaitPublish(ctx context.Context, seen uint64) {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	_ = s.node.WaitApplied(ctx, seen+1) // whether it came or not, the caller looks again
}
