package model

// Level is how current a read must be (design section 3).
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
	// After is the id after which the page begins; empty begins at the first.
	After string
	// Limit is the most records that the page may hold.
	Limit int
}
