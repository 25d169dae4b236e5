package model

// Changes is what one transaction does to the tables.
type Changes struct {
	// An id may be in only one of the two.
	Upserts []Version
	// Plain means that no row of Upserts has details, nor has one in whose place it comes.
	Plain   bool
	Deletes []string
	// DedupRecords are new; those up to the revision ForgetThrough are removed, 0 for none.
	DedupRecords  []DedupRecord
	ForgetThrough uint64
	// Log is what is new in the log of changes. Those of before up to the revision LetGoThrough are removed, 0 for none, and
	// those with the revisions LetGo.
	Log          []Change
	LetGoThrough uint64
	LetGo        []uint64
}
