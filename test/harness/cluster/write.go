package cluster

import "versiond/model"

// Write is a write that a client has asked for, and what it was told of it.
type Write struct {
	ID string
	Op model.ChangeOp
	// VersionNo and Platform are the record's from then on; a delete has none.
	VersionNo, Platform string
	// Done reports whether it was acknowledged. Any other may have been done once, or not.
	Done bool
	// After and Until are what follows of its revision from what its client was told: above After, and Until at most.
	After, Until uint64
	// Found is the revision of the change that it is, 0 before one was found.
	Found uint64
}

// Acknowledge notes that it was done, with this revision, or, where that is 0, with one that the index reflects.
func (w *Write) Acknowledge(revision, index uint64) {
	w.Done = true
	if revision > 0 {
		w.After, w.Until = revision-1, revision
	} else {
		w.Until = model.Revision(index+1, 0) - 1
	}
}
