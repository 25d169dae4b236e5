package model

// Level is how current a read must be (docs/design.md).
type Level string

// The read levels.
const (
	// LevelLinearizable reflects everything committed when the read arrived, confirmed by a quorum.
	LevelLinearizable Level = "linearizable"
	// LevelLeader reflects the leader's applied state without asking a quorum.
	LevelLeader Level = "leader"
	// LevelNone reflects whatever the node that was asked has applied; it needs no leader.
	LevelNone Level = "none"
)

// ReadOptions says how current a read must be.
type ReadOptions struct {
	Level Level
	// MinIndex is an applied index that the answer must reflect; 0 asks for none.
	MinIndex uint64
}

// ListOptions narrows a listing.
type ListOptions struct {
	// Platform keeps only records of this platform; empty keeps all.
	Platform string
	// Prefix keeps only records whose ids begin with it; empty keeps all.
	Prefix string
	// After is the id after which the page begins; empty begins at the first.
	After string
	// Limit is the most records that the page may hold.
	Limit int
}

// TermAck says that Node was still in Term after its pending reads arrived. It counts as that voter's reply in the
// quorum round that linearizable reads need.
type TermAck struct {
	Node string
	Term uint64
}

// Query is one question of a read: for the record of an ID, or, where one of them is not nil, for a Page of records or for
// all Candidates.
type Query struct {
	ID         string
	Page       *ListOptions
	Candidates *Candidates
}

// Found is the answer to a Query: the Record, if it Exists, or the Page, which has a Next where there are too many candidates.
type Found struct {
	Record VersionDB
	Exists bool
	Page   *Page
	// Index is the applied index of which the page is, 0 where that is not known. It may be later than that of the read.
	Index uint64
}
