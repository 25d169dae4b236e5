package model

// Position is a place in the replicated log: an index and the term of the entry there.
type Position struct {
	Index uint64
	Term  uint64
}

// Identity names a node's storage. Cluster is empty until a cluster has admitted the node. Store is
// random, made with the data directory and kept there and in the database, so that a directory and
// a database which do not belong together are noticed (design section 4, rule 2).
type Identity struct {
	Cluster string `json:"cluster"`
	Node    string `json:"node"`
	Store   string `json:"store"`
}

// StoreState is what a database says of itself in its one state row. It changes only in the
// transaction that changes the records, so it always tells how far the records are.
type StoreState struct {
	Identity
	Applied Position
	// Checksum is that of the records at Applied; empty when a release that knows of none, or another
	// hand, moved the row last.
	Checksum Checksum
	// Restoring is set while a snapshot is being loaded: the records are then of no use.
	Restoring bool
}
