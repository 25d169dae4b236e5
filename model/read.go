package model

import "encoding/base64"

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

// ReadOptions set how current a read must be.
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

// TermAck confirms that Node was still in Term after its pending reads arrived. It counts as that voter's reply in the
// quorum round that linearizable reads need.
type TermAck struct {
	Node string
	Term uint64
}

// HistoryOptions select what is wanted of the history of a record.
type HistoryOptions struct {
	ID string
	// Before is the revision before which the page begins; 0 begins with the newest change.
	Before uint64
	// Limit is the most changes that the page may hold.
	Limit int
}

// History is one page of the changes of a record, the newest first.
type History struct {
	Items []Change
	// Next is the revision before which the next page begins; 0 when this page is the last.
	Next uint64
	// Complete reports whether the last page ends with the change that created the record: none of those after that is missing.
	Complete bool
}

// Query is one question of a read: for the record of an ID, or, where one of them is not nil, for a Page of records, for all
// Candidates, or for a History.
type Query struct {
	ID         string
	Page       *ListOptions
	Candidates *Candidates
	History    *HistoryOptions
}

// Found is the answer to a Query: the Record, if it Exists, or the Page, which has a Next where there are too many candidates,
// or the History, nil of an id of which nothing is known.
type Found struct {
	Record  VersionDB
	Exists  bool
	Page    *Page
	History *History
	// Index is the applied index of which the page is, 0 where that is not known. It may be later than that of the read.
	Index uint64
}

// IsNothing reports whether nothing was found.
func (f Found) IsNothing() bool { return !f.Exists && f.Page == nil && f.History == nil }

// Reflects returns the index that an answer with this in it reflects at least: that of the record, or of the newest change of
// the page, may be later than the read began.
func (f *Found) Reflects() uint64 {
	newest := f.Record.Revision
	if f.History != nil && len(f.History.Items) > 0 {
		newest = f.History.Items[0].Revision
	}
	return max(f.Index, IndexOf(newest))
}

// cursorVersion is the first byte of a cursor. A cursor of another version is refused, so what
// follows it can change.
const cursorVersion = 1

// EncodeCursor makes the cursor of the page after the record with this id; the empty one when there
// is no such page.
func EncodeCursor(after string) string {
	if after == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorVersion}, after...))
}

// DecodeCursor reads what EncodeCursor made, and reports whether it was that.
func DecodeCursor(cursor string) (after string, ok bool) {
	if cursor == "" {
		return "", true
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) == 0 || raw[0] != cursorVersion {
		return "", false
	}
	after = string(raw[1:])
	return after, ValidateID(after) == nil
}

// CandidatesMax is the most records that one question for the newest version may be about.
const CandidatesMax = 1000

// Candidates names records of which the newest is asked for: those of a list of ids, or those whose ids begin with a
// prefix, and of these only the ones of a platform when that is not empty.
type Candidates struct {
	IDs              []string
	Prefix, Platform string
}
