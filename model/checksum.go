package model

import (
	"fmt"
	"strings"
)

// Checksum tells one set of records from another, as it is stored and as nodes tell each other: the
// number of the formula, how many records, and the sum of their hashes. It is empty when it is not
// known.
type Checksum string

// checksumForm numbers the formula behind a Checksum. A release that changes the formula changes the
// number too, and checksums of the releases before it are then known to say nothing.
const checksumForm = "1"

// NewChecksum makes the checksum of records whose hashes have this sum.
func NewChecksum(records int, sum uint64) Checksum {
	return Checksum(fmt.Sprintf("%s-%d-%016x", checksumForm, records, sum))
}

// Comparable reports whether this release's checksums can be held against c.
func (c Checksum) Comparable() bool {
	form, _, _ := strings.Cut(string(c), "-")
	return form == checksumForm
}

// Checkpoint is the checksum of the records as the log up to Index makes them.
type Checkpoint struct {
	Index    uint64   `json:"index"`
	Checksum Checksum `json:"checksum"`
}
