package model

// Changes is what one transaction does to the tables.
type Changes struct {
	// An id may be in only one of the two.
	Upserts []Version
	// Plain means that no row of Upserts has details, nor has one in whose place it comes.
	Plain   bool
	Deletes []string
	// DedupRecords are new; those of the revisions Forget are removed.
	DedupRecords []DedupRecord
	Forget       Range
	// Log is what is new in the log of changes. Those of the revisions LetGo are removed, and those that LetGoToo has.
	Log      []Change
	LetGo    Range
	LetGoToo []uint64
}

// Range is the revisions from From to Through; none when that is 0. From is that of the oldest row that there is: a server that has
// deleted others steps over them until they are purged, and everything from the first one on would take twice as long.
type Range struct{ From, Through uint64 }
