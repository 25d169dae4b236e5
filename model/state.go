package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Position is a place in the replicated log: an index and the term of the entry there.
type Position struct {
	Index uint64 `gorm:"not null"`
	Term  uint64 `gorm:"not null"`
}

// Identity names a node's storage. Cluster is empty until a cluster has admitted the node. Store is
// random, made with the data directory and kept there and in the database, so that a directory and
// a database which do not belong together are noticed (docs/design.md, "Exactly once").
type Identity struct {
	Cluster string `json:"cluster" gorm:"column:cluster_id;size:64;not null"`
	Node    string `json:"node" gorm:"column:node_id;size:64;not null"`
	Store   string `json:"store" gorm:"column:store_id;size:64;not null"`
}

// StoreState is what a database says of itself in its one state row. It changes only in the
// transaction that changes the records, so it always tells how far the records are. Its tags are those of the
// columns of the table.
type StoreState struct {
	Identity
	Applied Position `gorm:"embedded;embeddedPrefix:applied_"`
	// Checksum is that of the records at Applied; empty while Restoring.
	Checksum Checksum `gorm:"size:96;not null"`
	// Shape is that of the tables as the node made them.
	Shape string `gorm:"size:96;not null"`
	// ChangesFrom is the revision after which every change is kept; 0 before any are. It moves on as old ones are let go.
	ChangesFrom uint64 `gorm:"not null"`
	// Restoring is set while a snapshot is being loaded: the records are then of no use.
	Restoring bool `gorm:"not null"`
	// Seal binds all of the above together. Only the node that moves the row makes one, so that a part which
	// somebody else changed is seen. It is no defence against who makes a seal too.
	Seal string `gorm:"size:64;not null"`
}

// Sealed returns the state with the seal that belongs to it.
func (s StoreState) Sealed() StoreState {
	whole := fmt.Sprintf("%q %q %q %d %d %q %q %t", s.Cluster, s.Node, s.Store, s.Applied.Index, s.Applied.Term, s.Checksum, s.Shape, s.Restoring)
	if s.ChangesFrom != 0 { // a release that keeps no changes has made the same seal without it
		whole = fmt.Sprintf("%s %d", whole, s.ChangesFrom)
	}
	sum := sha256.Sum256([]byte(whole))
	s.Seal = hex.EncodeToString(sum[:16])
	return s
}

// Proven reports whether the state is as a node has written it.
func (s StoreState) Proven() bool { return s == s.Sealed() }

// ProvenAs reports whether it is so but for the identity, which was this one.
func (s StoreState) ProvenAs(identity Identity) bool {
	s.Identity = identity
	return s.Proven()
}

// Checksum distinguishes a set of records from others, in the form in which it is stored and nodes
// send it to each other: the number of the formula, how many records there are, and the sum of their
// hashes. It is empty when it is not known.
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
