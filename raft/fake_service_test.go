package raft

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// fakeStore is a store in memory that outlives the nodes that a test starts over it, as a database
// does. Its faults are what a database can do to the applier.
type fakeStore struct {
	mu      sync.Mutex
	rows    map[string]model.Version
	state   *model.StoreState
	dedup   []model.DedupRecord
	decided []uint64 // the index of every command that was decided, in order

	failCommits  int  // commits that fail before anything is written
	loseAnswers  int  // commits that happen and whose answer is lost
	stateFails   int  // state look-ups that fail
	viewsOpen    int  // views that were not closed
	restoreCount int  // restores that went through
	breakRestore bool // the next restore is broken off half-way
	onLoad       func()
	heldPages    chan struct{} // closed when views that are opened from now on may be read; nil when they may at once
}

func newFakeStore() *fakeStore { return &fakeStore{rows: map[string]model.Version{}} }

// holdPages makes views that are opened from now on give no page before release is called.
func (s *fakeStore) holdPages() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := make(chan struct{})
	s.heldPages = held
	return func() { close(held) }
}

func (s *fakeStore) openViews() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.viewsOpen
}

func (s *fakeStore) snapshotRows() map[string]model.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.rows)
}

// copyOf is what a copy of the store's files holds.
func (s *fakeStore) copyOf() (map[string]model.Version, model.StoreState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.rows), *s.state
}

// goBack puts the store back to a copy, as a database does that was killed before it wrote to disk.
func (s *fakeStore) goBack(rows map[string]model.Version, state model.StoreState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.state = maps.Clone(rows), &state
}

func (s *fakeStore) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.state = map[string]model.Version{}, nil
}

// fakeService is a VersionServiceInterface over a fakeStore.
type fakeService struct {
	store      *fakeStore
	staged     map[string]*model.Version
	before     map[string]*model.Version // what was staged when an atomic unit began
	remembered []model.DedupRecord       // staged
}

func newFakeService(store *fakeStore) *fakeService {
	return &fakeService{store: store, staged: map[string]*model.Version{}}
}

func (f *fakeService) current(id string) (uint64, bool) {
	if v, ok := f.staged[id]; ok {
		if v == nil {
			return 0, false
		}
		return v.Revision, true
	}
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	v, ok := f.store.rows[id]
	return v.Revision, ok
}

func (f *fakeService) note(revision uint64) {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	f.store.decided = append(f.store.decided, revision/model.CommandsPerEntryMax)
}

func (f *fakeService) AddVersionInternal(c model.Command, revision uint64) model.Outcome {
	f.note(revision)
	if current, exists := f.current(c.ID); exists {
		return model.Outcome{Code: model.OutcomeAlreadyExists, Revision: current}
	}
	f.staged[c.ID] = &model.Version{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Revision: revision}
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

func (f *fakeService) UpdateVersionInternal(c model.Command, revision uint64) model.Outcome {
	f.note(revision)
	if _, exists := f.current(c.ID); !exists {
		return model.Outcome{Code: model.OutcomeNotFound}
	}
	f.staged[c.ID] = &model.Version{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Revision: revision}
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

func (f *fakeService) DeleteVersionInternal(c model.Command, revision uint64) model.Outcome {
	f.note(revision)
	if _, exists := f.current(c.ID); !exists {
		return model.Outcome{Code: model.OutcomeNotFound}
	}
	f.staged[c.ID] = nil
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

func (f *fakeService) BeginAtomicInternal() { f.before = maps.Clone(f.staged) }

func (f *fakeService) EndAtomicInternal(done bool) {
	if !done {
		f.staged = f.before
	}
	f.before = nil
}

func (f *fakeService) RevisionInternal(id string) uint64 {
	revision, _ := f.current(id)
	return revision
}

func (f *fakeService) RecallInternal(u *model.Unit, _ uint64) (model.UnitOutcome, bool) {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	for _, m := range append(slices.Clone(f.store.dedup), f.remembered...) {
		if m.Key == u.Idempotency.Key {
			outcomes, err := wire.UnpackOutcomes(&m)
			return model.UnitOutcome{Outcomes: outcomes, Replayed: true}, err == nil
		}
	}
	return model.UnitOutcome{}, false
}

func (f *fakeService) RememberInternal(u *model.Unit, revision uint64, outcomes []model.Outcome) {
	f.remembered = append(f.remembered, model.DedupRecord{Idempotency: *u.Idempotency, Revision: revision, Outcomes: wire.PackOutcomes(outcomes)})
}

// newTestFSM makes an FSM that no node has.
func newTestFSM(service VersionServiceInterface) *VersionFSM {
	return newVersionFSM(service, &raftlog.Stores{}, unobserved{}, newEnding())
}

var errFake = errors.New("the fake store was told to fail")

func (f *fakeService) CommitInternal(_ context.Context, store string, from, to model.Position) error {
	s := f.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failCommits > 0 {
		s.failCommits--
		return errFake
	}
	if s.state == nil || s.state.Store != store || s.state.Applied != from || s.state.Restoring {
		return model.ErrStateMoved
	}
	for id, v := range f.staged {
		if v == nil {
			delete(s.rows, id)
		} else {
			s.rows[id] = *v
		}
	}
	s.dedup = append(s.dedup, f.remembered...)
	f.remembered = nil
	s.state.Applied = to
	if s.loseAnswers > 0 {
		s.loseAnswers--
		return errFake
	}
	return nil
}

func (f *fakeService) PublishInternal() { clear(f.staged) }
func (f *fakeService) DiscardInternal() { clear(f.staged); f.remembered = nil }
func (f *fakeService) CacheInternal()   {}

func (f *fakeService) ChecksumInternal() model.Checksum { return "" }

func (f *fakeService) StateInternal(context.Context) (model.StoreState, error) {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if f.store.stateFails > 0 {
		f.store.stateFails--
		return model.StoreState{}, errFake
	}
	if f.store.state == nil {
		return model.StoreState{}, model.ErrNoState
	}
	return *f.store.state, nil
}

func (f *fakeService) TablesInternal(context.Context) (tables []string, err error) {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if f.store.state != nil {
		tables = append(tables, "versiond_state")
	}
	if f.store.state != nil || len(f.store.rows) > 0 {
		tables = append(tables, "versions")
	}
	return tables, nil
}

func (f *fakeService) LoadInternal(context.Context, string) error {
	if f.store.onLoad != nil {
		f.store.onLoad()
	}
	return nil
}

func (f *fakeService) RestoreInternal(_ context.Context, identity model.Identity, at model.Position, source Source) error {
	s := f.store
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.dedup = map[string]model.Version{}, nil
	s.state = &model.StoreState{Identity: identity, Restoring: true}
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
	for {
		v, err := source.NextRecord()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		s.rows[v.ID] = v
		if s.breakRestore {
			s.breakRestore = false
			return errFake
		}
	}
	s.state.Applied, s.state.Restoring = at, false
	s.restoreCount++
	return nil
}

func (f *fakeService) OpenViewInternal(context.Context) (StoreView, error) {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if f.store.state == nil {
		return nil, model.ErrNoState
	}
	f.store.viewsOpen++
	return &fakeView{store: f.store, rows: maps.Clone(f.store.rows), state: *f.store.state, dedup: slices.Clone(f.store.dedup), held: f.store.heldPages}, nil
}

type fakeView struct {
	store *fakeStore
	rows  map[string]model.Version
	dedup []model.DedupRecord
	state model.StoreState
	held  chan struct{}
}

func (v *fakeView) DedupRecords(_ context.Context, after uint64, limit int) (page []model.DedupRecord, _ error) {
	for _, m := range v.dedup {
		if m.Revision > after && len(page) < limit {
			page = append(page, m)
		}
	}
	return page, nil
}

func (v *fakeView) State() model.StoreState { return v.state }

func (v *fakeView) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
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

func (v *fakeView) Close() error {
	v.store.mu.Lock()
	defer v.store.mu.Unlock()
	v.store.viewsOpen--
	return nil
}
