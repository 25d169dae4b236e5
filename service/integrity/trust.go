// Package integrity finds out when a node's store does not hold what the log makes, keeps readers from it at once, and has it
// built anew.
package integrity

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"versiond/group"
	"versiond/model"
)

// How it was found that the store does not hold what the log makes.
const (
	foundAtStart   = "start"   // the rows against the checksum in the state row
	foundByReading = "reading" // all rows against the running checksum, the state row and the tables
	foundByRead    = "read"    // one row against the revision index, when a client wanted it
	foundByPeers   = "peers"   // the running checksum against that of a majority
)

// Trust is whether a node's store may be believed. Any goroutine may call its methods, which never wait.
type Trust struct {
	diverged func(foundBy string)
	log      *slog.Logger

	// gen is incremented whenever the store is replaced or taken out of service; a read that spans an
	// increment has seen neither the old records nor the new ones for certain, and is done again.
	gen atomic.Uint64
	// divergence is nil while nothing speaks against the store.
	divergence atomic.Pointer[divergence]
	// quarantined is set from when the store is found wrong until Guard repairs it.
	quarantined group.Signal
	// suspected is set when a read has met a row that may not be the one that was applied.
	suspected group.Signal
	// conflict is how the checksums of members differ where no majority says whose are right; nil while
	// that is not so.
	conflict atomic.Pointer[string]
}

// divergence is why this node's store cannot be believed.
type divergence struct {
	foundBy string
	err     error // matches model.ErrStoreDiffers
}

// NewTrust returns a Trust that believes the store. diverged is told in a word by what it was found to be wrong.
func NewTrust(diverged func(foundBy string), log *slog.Logger) *Trust {
	return &Trust{diverged: diverged, log: log, quarantined: group.NewSignal(), suspected: group.NewSignal()}
}

// Gen changes whenever the store is replaced or taken out of service.
func (t *Trust) Gen() uint64 { return t.gen.Load() }

// Replaced notes that the store is about to be loaded or replaced. What was found in it before is of no interest.
func (t *Trust) Replaced() { t.gen.Add(1) }

// Err returns what is wrong with the store, a model.ErrStoreDiffers.
func (t *Trust) Err() error {
	if d := t.divergence.Load(); d != nil {
		return d.err
	}
	return nil
}

// Conflict returns how the records of members differ where nobody knows whose are right; "" while they do not.
func (t *Trust) Conflict() string {
	if detail := t.conflict.Load(); detail != nil {
		return *detail
	}
	return ""
}

// FoundAtStart is for what the loading of the store met: the applier builds it anew by itself.
func (t *Trust) FoundAtStart(err error) {
	if errors.Is(err, model.ErrStoreDiffers) {
		t.diverged(foundAtStart)
	}
}

// FoundByRead is for what a read met that began at gen.
func (t *Trust) FoundByRead(gen uint64, err error) {
	if errors.Is(err, model.ErrStoreDiffers) {
		t.quarantine(gen, foundByRead, err)
	}
}

// foundInForm is for what a look at the state row and the tables met: what is missing is a difference too.
func (t *Trust) foundInForm(gen uint64, err error) {
	switch {
	case errors.Is(err, model.ErrStoreDiffers):
		t.quarantine(gen, foundByReading, err)
	case errors.Is(err, model.ErrNoState):
		t.quarantine(gen, foundByReading, fmt.Errorf("%w: %w", model.ErrStoreDiffers, err))
	}
}

// Suspect has all rows read soon, and not only with the next reload.
func (t *Trust) Suspect() { t.suspected.Set() }

// quarantine keeps readers from the store at once, and has it built anew. What was found in the store before it was
// last loaded is of no interest.
func (t *Trust) quarantine(gen uint64, foundBy string, err error) {
	if t.gen.Load() != gen || !t.divergence.CompareAndSwap(nil, &divergence{foundBy: foundBy, err: err}) {
		return
	}
	t.gen.Add(1) // reads under way do not count
	t.diverged(foundBy)
	t.log.Error("this node serves nothing from its store until it is built anew", "foundBy", foundBy, "err", err)
	t.quarantined.Set()
}
