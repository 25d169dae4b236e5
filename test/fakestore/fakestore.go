// Package fakestore is a store in memory, for tests of what applies log entries to a store.
package fakestore

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"

	"versiond/model"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// Store is a store in memory that outlives the nodes that a test starts over it, as a database
// does. Its faults are what a database can do to the applier.
type Store struct {
	Mu      sync.Mutex
	Table   map[string]model.Version
	State   *model.StoreState
	dedup   []model.DedupRecord
	Decided []uint64 // the index of every command that was decided, in order

	FailCommits  int  // commits that fail before anything is written
	LoseAnswers  int  // commits that happen and whose answer is lost
	StateFails   int  // state look-ups that fail
	ViewsOpen    int  // views that were not closed
	restoreCount int  // restores that went through
	BreakRestore bool // the next restore is broken off half-way
	OnLoad       func()
	heldPages    chan struct{} // closed when views that are opened from now on may be read; nil when they may at once
}

// New returns an empty store.
func New() *Store { return &Store{Table: map[string]model.Version{}} }

// HoldPages makes views that are opened from now on give no page before release is called.
func (s *Store) HoldPages() (release func()) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	held := make(chan struct{})
	s.heldPages = held
	return func() { close(held) }
}

// OpenViews is how many views were not closed.
func (s *Store) OpenViews() int {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return s.ViewsOpen
}

// Rows returns a copy of all records.
func (s *Store) Rows() map[string]model.Version {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return maps.Clone(s.Table)
}

// RestoresAfterStart is how often all records were replaced, but for the first time, which makes the empty store.
func (s *Store) RestoresAfterStart() int {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return s.restoreCount - 1
}

// RefuseCommits makes so many commits fail.
func (s *Store) RefuseCommits(count int) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.FailCommits = count
}

// Clone returns a store of the same content.
func (s *Store) Clone() *Store {
	table, state := s.Copy()
	return &Store{Table: table, State: &state}
}

// Copy is what a copy of the store's files holds.
func (s *Store) Copy() (map[string]model.Version, model.StoreState) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	return maps.Clone(s.Table), *s.State
}

// GoBack puts the store back to a copy, as a database does that was killed before it wrote to disk.
func (s *Store) GoBack(rows map[string]model.Version, state model.StoreState) {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Table, s.State = maps.Clone(rows), &state
}

// Drop takes the store away, as somebody does who drops its tables.
func (s *Store) Drop() {
	s.Mu.Lock()
	defer s.Mu.Unlock()
	s.Table, s.State = map[string]model.Version{}, nil
}

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
	f.note(revision)
	if _, exists := f.current(c.ID); !exists {
		return model.Outcome{Code: model.OutcomeNotFound}
	}
	f.Staged[c.ID] = &model.Version{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Revision: revision}
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

func (f *service) DeleteVersionInternal(c model.Command, revision uint64, _ *model.Origin) model.Outcome {
	f.note(revision)
	if _, exists := f.current(c.ID); !exists {
		return model.Outcome{Code: model.OutcomeNotFound}
	}
	f.Staged[c.ID] = nil
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
func (f *service) CacheInternal()   {}

func (f *service) ChecksumInternal() model.Checksum { return "" }

func (f *service) StateInternal(context.Context) (model.StoreState, error) {
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

func (f *service) OpenViewInternal(context.Context) (snapshot.StoreView, error) {
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	if f.Store.State == nil {
		return nil, model.ErrNoState
	}
	f.Store.ViewsOpen++
	return &view{store: f.Store, rows: maps.Clone(f.Store.Table), state: *f.Store.State, dedup: slices.Clone(f.Store.dedup), held: f.Store.heldPages}, nil
}

type view struct {
	store *Store
	rows  map[string]model.Version
	dedup []model.DedupRecord
	state model.StoreState
	held  chan struct{}
}

func (v *view) DedupRecords(_ context.Context, after uint64, limit int) (page []model.DedupRecord, _ error) {
	for _, m := range v.dedup {
		if m.Revision > after && len(page) < limit {
			page = append(page, m)
		}
	}
	return page, nil
}

func (v *view) ChangesFrom() uint64 { return v.state.ChangesFrom }

func (v *view) ChangesAfter(context.Context, uint64, int) ([]model.Change, error) { return nil, nil }

func (v *view) State() model.StoreState { return v.state }

func (v *view) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
	if v.held != nil {
		select {
		case <-v.held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var page []model.Version
	for _, id := range slices.Sorted(maps.Keys(v.rows)) {
		if id > after && len(page) < limit {
			page = append(page, v.rows[id])
		}
	}
	return page, nil
}

func (v *view) Close() error {
	v.store.Mu.Lock()
	defer v.store.Mu.Unlock()
	v.store.ViewsOpen--
	return nil
}
