// Package peer is how one node asks another over HTTP on the peer port: for its state, for an index
// to read at, to take commands, to change the members.
package peer

import "versiond/raft"

// Status is what a node answers to GET /status on the peer port.
type Status struct {
	raft.Status
	// Port is the node's public HTTP port.
	Port int `json:"port"`
	// StoreCluster is, on a node without Raft state, the cluster that its database belongs to.
	StoreCluster string `json:"storeCluster,omitempty"`
	// StoreSilent is set on such a node when its database cannot be asked.
	StoreSilent bool `json:"storeSilent,omitempty"`
	// Divergence is why the node does not believe its own store; empty while it does.
	Divergence string `json:"divergence,omitempty"`
	// Level is set while the node's store is known to have what was committed when it last asked.
	Level bool `json:"level"`
	// Release is the version of the program.
	Release string `json:"release"`
}

// Admission is what the leader tells a node that it has taken in.
type Admission struct {
	Cluster string `json:"cluster"`
	// Former lists the clusters that it was recovered from: a database of one of them is replaced.
	Former  []string `json:"formerClusters,omitempty"`
	Replica bool     `json:"replica"`
}

// Index is the answer to GET /read-index.
type Index struct {
	Index uint64 `json:"index"`
}

// Term is the answer to GET /term.
type Term struct {
	Node    string `json:"node"`
	Cluster string `json:"cluster"`
	Term    uint64 `json:"term"`
}

// The content types of POST /command, and of POST /read.
const (
	CommandsType = "application/vnd.versiond.commands"
	OutcomesType = "application/vnd.versiond.outcomes"
	QueriesType  = "application/vnd.versiond.queries"
	FoundType    = "application/vnd.versiond.answers"
)

// The headers that a node sends along: which cluster it takes the other for a member of, and the
// secret that the cluster's nodes share.
const (
	ClusterHeader = "X-Versiond-Cluster"
	SecretHeader  = "X-Versiond-Secret"
	// NodeHeader distinguishes a node from a page in a browser: no page can set what begins with Sec-.
	NodeHeader = "Sec-Versiond-Node"
)
