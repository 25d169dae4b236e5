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
}
