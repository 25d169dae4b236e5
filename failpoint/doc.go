// Package failpoint marks the steps at which tests kill or freeze the program. Only a program that was built with
// the tag failpoints knows of them; in every other one Here does nothing, and the compiler removes it
// together with its names.
package failpoint

// Names of the steps, in the order in which a write or a snapshot passes them.
const (
	// ApplyDecided is before the transaction of a group, ApplyWritten inside it when the rows are
	// written, ApplyMoved when the state row is too.
	ApplyDecided = "apply-decided"
	ApplyWritten = "apply-written"
	ApplyMoved   = "apply-moved"
	// ApplyCommitted is before readers see a group, ApplyPublished before its clients are answered,
	// ApplyAnswered before Redis has it, and CacheWritten after that.
	ApplyCommitted = "apply-committed"
	ApplyPublished = "apply-published"
	ApplyAnswered  = "apply-answered"
	CacheWritten   = "cache-written"
	// SnapshotOpened is when the view of a snapshot is open, SnapshotWritten when all of it is written
	// and it does not count yet.
	SnapshotOpened  = "snapshot-opened"
	SnapshotWritten = "snapshot-written"
	// RestoreBegun is when the leader has applied the entry that begins the restore of a backup, RestoreChunked
	// when it has applied one that holds a part of it, and RestoreSent when only that is missing which commits it.
	RestoreBegun   = "restore-begun"
	RestoreChunked = "restore-chunked"
	RestoreSent    = "restore-sent"
	// RestoreMarked is when the state row says that a snapshot or a backup is being loaded, RestoreCleared when the
	// old records are gone, RestoreFilled when the new ones are there and the row still says so, and
	// RestoreFinished when it does not any more.
	RestoreMarked   = "restore-marked"
	RestoreCleared  = "restore-cleared"
	RestoreFilled   = "restore-filled"
	RestoreFinished = "restore-finished"
)
