package model

import (
	"time"
	"unicode/utf8"
)

const (
	// OriginByBytesMax is the longest name that an origin has.
	OriginByBytesMax = 128
	// originAtMax is the end of the year 9999, behind which no database has a time.
	originAtMax = 253402300799999
)

// Origin is where a unit came from. The node that takes the request makes it. It informs and decides nothing, so that it
// does not matter what a clock or a token's name says.
type Origin struct {
	// At is when that node had the request, by its clock, in Unix milliseconds; 0 where that is not known.
	At int64
	// By is the name of the token that came with the request; empty where none did.
	By string
}

// NewOrigin returns the origin of a request that is taken at at. Of a clock that is far off it keeps nothing.
func NewOrigin(at time.Time, by string) *Origin {
	o := &Origin{At: at.UnixMilli(), By: by}
	if !validMoment(o.At) {
		o.At = 0
	}
	return o
}

// validMoment reports whether every store has a time for so many Unix milliseconds, or takes them for an unknown one.
func validMoment(ms int64) bool { return ms >= 0 && ms <= originAtMax }

// Valid reports whether every store can hold what the origin says. None at all is valid.
func (o *Origin) Valid() bool {
	return o == nil || validMoment(o.At) && len(o.By) <= OriginByBytesMax && utf8.ValidString(o.By)
}
