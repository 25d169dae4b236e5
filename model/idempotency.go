package model

// Idempotency names a request that may be sent more than once and must be done once. It holds hashes of
// a fixed size, so that what is remembered does not grow with what clients choose.
type Idempotency struct {
	// Key is the hash of the key that the client chose.
	Key [16]byte
	// Request is the hash of what the client asked for: the same key on another request is refused.
	Request [16]byte
}

// DedupRecord is what every node remembers of a unit with a key, so that it can be answered again without
// being done again. It is part of the replicated state.
type DedupRecord struct {
	Idempotency
	// Revision is what the unit's first command makes, or would have made. It is unique, and puts
	// dedup records in the order of the log.
	Revision uint64
	// Outcomes are the unit's, in the form of package wire.
	Outcomes string
}

// WriteOptions say how a single write is to be done.
type WriteOptions struct {
	// IfRevision, when not 0, makes an update or a delete depend on the record's current revision.
	IfRevision uint64
	// DetailNames are the details that an update sets or clears; it leaves the others as they are.
	DetailNames DetailSet
	// Newer makes an update depend on its version to come after the record's.
	Newer bool
	// Key, when not empty, is the client's idempotency key.
	Key string
	// Origin says where the write comes from; nil where nobody asks.
	Origin *Origin
}

// IndexOf returns the log index of the entry that made a revision.
func IndexOf(revision uint64) uint64 { return revision / CommandsPerEntryMax }
