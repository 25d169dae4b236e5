// Package fakestore is a store in memory, for tests of what applies log entries to a store.
package fakestore

import (
	"maps"
	"sync"

	"versiond/model"
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
	OnState      func()        // is called by every look at the state
	heldPages    chan struct{} // closed when views that are opened from now on may be read; nil when they may at once
}

// New returns an empty store.
func New() *Store { return &Store{Table: map[string]model.Version{}} }

// HoldPages makes views that are opened from now on return no page before release is called.
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
