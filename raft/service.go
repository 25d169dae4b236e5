package raft

import (
	"context"

	"versiond/model"
	"versiond/raft/snapshot"
)

// VersionServiceInterface is what the FSM needs of the service layer. The applier calls it, from one
// goroutine, one call at a time.
//
// AddVersionInternal, UpdateVersionInternal and DeleteVersionInternal decide the outcome of one command from what was
// applied and staged before it, and stage the row. They read no clock, no randomness and no store, so that every node decides
// alike. The origin, which may be nil, is kept with the change and decides nothing. Nothing they stage is seen by readers
// before PublishInternal.
type VersionServiceInterface interface {
	// PrepareInternal reads from the store what deciding the units of some entries needs beside what is kept in memory.
	// model.ErrStateMoved means that it is not what was left there; after any other error it may be tried again.
	PrepareInternal(ctx context.Context, units [][]model.Unit) error
	AddVersionInternal(command model.Command, revision uint64, origin *model.Origin) model.Outcome
	UpdateVersionInternal(command model.Command, revision uint64, origin *model.Origin) model.Outcome
	DeleteVersionInternal(command model.Command, revision uint64, origin *model.Origin) model.Outcome
	// WatchedInternal reports whether somebody waits to be told of what is published.
	WatchedInternal() bool
	// KeepChangesInternal stages that the changes after revision are kept from now on, unless they are kept already.
	KeepChangesInternal(revision uint64)
	// ChangesFromInternal returns the revision after which all changes are kept, as far as they are published; 0 while none are.
	ChangesFromInternal() uint64

	// BeginAtomicInternal and EndAtomicInternal stand around commands that are to be done together or
	// not at all; unless they were done, EndAtomicInternal takes back what they staged.
	BeginAtomicInternal()
	EndAtomicInternal(done bool)
	// RevisionInternal returns the revision of a record, with what is staged; 0 when there is none.
	RevisionInternal(id string) uint64

	// RecallInternal returns the outcome that is remembered under the unit's key, or the refusal of a key
	// that was used for another request; found is false when the unit is to be decided. The unit's first
	// command would make revision.
	RecallInternal(unit *model.Unit, revision uint64) (outcome model.UnitOutcome, found bool)
	// RememberInternal stages what a unit with a key came to.
	RememberInternal(unit *model.Unit, revision uint64, outcomes []model.Outcome)
	// ChecksumInternal returns the running checksum of all records, dedup records and changes, with what is staged.
	ChecksumInternal() model.Checksum

	// CommitInternal writes what is staged and moves the state row of this store from one position
	// to the next, in one transaction. model.ErrStateMoved means that the state row is not what was left; after
	// any other error the transaction may have happened, and StateInternal tells.
	CommitInternal(ctx context.Context, store string, from, to model.Position) error
	// PublishInternal shows readers what CommitInternal wrote, and forgets what is staged.
	PublishInternal()
	// DiscardInternal forgets what is staged.
	DiscardInternal()
	// CacheInternal hands what was published to the shared cache. It does not wait for it.
	CacheInternal()

	// StateInternal reads the state row: model.ErrNoState when there is none. With model.ErrStoreDiffers, which
	// means that the row or a table is not as a node has left it, it returns what can be read of the row.
	StateInternal(ctx context.Context) (model.StoreState, error)
	// TablesInternal makes the database where there is none, and names what stands where the store's tables should,
	// whoever made it: RestoreInternal may drop all of that.
	TablesInternal(ctx context.Context) ([]string, error)
	// LoadInternal reads from the store what PublishInternal otherwise moves on: it is called once
	// the store is known to be ours and before anything is applied. model.ErrStoreDiffers means that
	// its records are not those that were stored there.
	LoadInternal(ctx context.Context, cluster string) error
	// RestoreInternal replaces all records, dedup records and changes by those of source, and sets the state row to
	// identity and position. A crash in between leaves the row marked as restoring.
	RestoreInternal(ctx context.Context, identity model.Identity, position model.Position, source Source) error
	// OpenViewInternal opens a consistent view of the records as they are now: model.ErrNoState when
	// there is no state row.
	OpenViewInternal(ctx context.Context) (StoreView, error)
}

// Source returns the contents of a snapshot.
type Source = snapshot.Source

// View is a consistent view of all records, dedup records and changes.
type View = snapshot.View

// StoreView is a View of the store.
type StoreView = snapshot.StoreView
