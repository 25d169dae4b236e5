package fakestore

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"versiond/model"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// Service is a VersionServiceInterface over a Store.
type Service = service

type service struct {
	Store      *Store
	Staged     map[string]*model.Version
	before     map[string]*model.Version // what was staged when an atomic unit began
	remembered []model.DedupRecord       // staged
	// changesFrom is staged; changes themselves are not kept.
	changesFrom uint64
}

// NewService returns a service over a store.
func NewService(store *Store) *Service {
	return &service{Store: store, Staged: map[string]*model.Version{}}
}

func (f *service) current(id string) (uint64, bool) {
	if v, ok := f.Staged[id]; ok {
		if v == nil {
			return 0, false
		}
		return v.Revision, true
	}
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	v, ok := f.Store.Table[id]
	return v.Revision, ok
}

func (f *service) note(revision uint64) {
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	f.Store.Decided = append(f.Store.Decided, revision/model.CommandsPerEntryMax)
}

func (f *service) PrepareInternal(context.Context, [][]model.Unit) error { return nil }

func (f *service) AddVersionInternal(c model.Command, revision uint64, _ *model.Origin) model.Outcome {
	f.note(revision)
	if current, exists := f.current(c.ID); exists {
		return model.Outcome{Code: model.OutcomeAlreadyExists, Revision: current}
	}
	f.Staged[c.ID] = &model.Version{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Revision: revision}
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

func (f *service) UpdateVersionInternal(c model.Command, revision uint64, _ *model.Origin) model.Outcome {
	return f.replace(c.ID, revision, &model.Version{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Revision: revision})
}

func (f *service) DeleteVersionInternal(c model.Command, revision uint64, _ *model.Origin) model.Outcome {
	return f.replace(c.ID, revision, nil)
}

// replace stages what takes the place of a record, nil for nothing.
func (f *service) replace(id string, revision uint64, with *model.Version) model.Outcome {
	f.note(revision)
	if _, exists := f.current(id); !exists {
		return model.Outcome{Code: model.OutcomeNotFound}
	}
	f.Staged[id] = with
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

func (f *service) WatchedInternal() bool { return false }

func (f *service) KeepChangesInternal(revision uint64) {
	if f.ChangesFromInternal() == 0 {
		f.changesFrom = revision
	}
}

func (f *service) ChangesFromInternal() uint64 {
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	if f.Store.State == nil || f.changesFrom > 0 {
		return f.changesFrom
	}
	return f.Store.State.ChangesFrom
}

func (f *service) BeginAtomicInternal() { f.before = maps.Clone(f.Staged) }

func (f *service) EndAtomicInternal(done bool) {
	if !done {
		f.Staged = f.before
	}
	f.before = nil
}

func (f *service) RevisionInternal(id string) uint64 {
	revision, _ := f.current(id)
	return revision
}

func (f *service) RecallInternal(u *model.Unit, _ uint64) (model.UnitOutcome, bool) {
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	for _, m := range append(slices.Clone(f.Store.dedup), f.remembered...) {
		if m.Key == u.Idempotency.Key {
			outcomes, err := wire.UnpackOutcomes(&m)
			return model.UnitOutcome{Outcomes: outcomes, Replayed: true}, err == nil
		}
	}
	return model.UnitOutcome{}, false
}

func (f *service) RememberInternal(u *model.Unit, revision uint64, outcomes []model.Outcome) {
	f.remembered = append(f.remembered, model.DedupRecord{Idempotency: *u.Idempotency, Revision: revision, Outcomes: wire.PackOutcomes(outcomes)})
}

// ErrFake is what a store answers that was told to fail.
var ErrFake = errors.New("the fake store was told to fail")

func (f *service) CommitInternal(_ context.Context, store string, from, to model.Position) error {
	s := f.Store
	s.Mu.Lock()
	defer s.Mu.Unlock()
	if s.FailCommits > 0 {
		s.FailCommits--
		return ErrFake
	}
	if s.State == nil || s.State.Store != store || s.State.Applied != from || s.State.Restoring {
		return model.ErrStateMoved
	}
	for id, v := range f.Staged {
		if v == nil {
			delete(s.Table, id)
		} else {
			s.Table[id] = *v
		}
	}
	s.dedup = append(s.dedup, f.remembered...)
	s.State.ChangesFrom = max(s.State.ChangesFrom, f.changesFrom)
	f.remembered, f.changesFrom = nil, 0
	s.State.Applied = to
	if s.LoseAnswers > 0 {
		s.LoseAnswers--
		return ErrFake
	}
	return nil
}

func (f *service) PublishInternal() { clear(f.Staged) }

func (f *service) DiscardInternal() { clear(f.Staged); f.remembered, f.changesFrom = nil, 0 }

func (f *service) CacheInternal() {}

func (f *service) ChecksumInternal() model.Checksum { return "" }

func (f *service) StateInternal(context.Context) (model.StoreState, error) {
	if f.Store.OnState != nil {
		f.Store.OnState()
	}
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	if f.Store.StateFails > 0 {
		f.Store.StateFails--
		return model.StoreState{}, ErrFake
	}
	if f.Store.State == nil {
		return model.StoreState{}, model.ErrNoState
	}
	return *f.Store.State, nil
}

func (f *service) TablesInternal(context.Context) (tables []string, err error) {
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	if f.Store.State != nil {
		tables = append(tables, "versiond_state")
	}
	if f.Store.State != nil || len(f.Store.Table) > 0 {
		tables = append(tables, "versions")
	}
	return tables, nil
}

func (f *service) LoadInternal(context.Context, string) error {
	if f.Store.OnLoad != nil {
		f.Store.OnLoad()
	}
	return nil
}

func (f *service) RestoreInternal(_ context.Context, identity model.Identity, at model.Position, source snapshot.Source) error {
	s := f.Store
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Table, s.dedup = map[string]model.Version{}, nil
	s.State = &model.StoreState{Identity: identity, Restoring: true}
	for {
		m, err := source.NextDedupRecord()
		if snapshot.IsEnd(err) {
			break
		}
		if err != nil {
			return err
		}
		s.dedup = append(s.dedup, m)
	}
	from, err := source.ChangesFrom()
	if err != nil {
		return err
	}
	s.State.ChangesFrom = from
	for {
		v, err := source.NextRecord()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s.Table[v.ID] = v
		if s.BreakRestore {
			s.BreakRestore = false
			return ErrFake
		}
	}
	s.State.Applied, s.State.Restoring = at, false
	s.restoreCount++
	return nil
}
