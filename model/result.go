package model

// Result is a record as an answer carries it, with the applied index that the answer reflects. On
// a domain error (ErrAlreadyExists, ErrNotFound, ErrRevisionMismatch) Index is set as well, and
// Record.Revision is the revision that stood in the way where there is one.
type Result struct {
	Record VersionDB
	Index  uint64
	// Replayed is set when the answer is that of an earlier request with the same idempotency key.
	Replayed bool
}
