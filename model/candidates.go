package model

// CandidatesMax is the most records that one question for the newest version may be about.
const CandidatesMax = 1000

// Candidates names records of which the newest is asked for: those of a list of ids, or those whose ids begin with a
// prefix, and of these only the ones of a platform when that is not empty.
type Candidates struct {
	IDs              []string
	Prefix, Platform string
}
