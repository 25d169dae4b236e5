package model

import "time"

// Suffrage values of PeerStatus.
const (
	// SuffrageVoter marks a member that counts for the quorum.
	SuffrageVoter = "voter"
	// SuffrageNonvoter marks a member that gets every entry and has no vote.
	SuffrageNonvoter = "nonvoter"
)

// PeerStatus is one member as the node that was asked sees it. Port and the fields after Suffrage are what
// the member itself says just now; of one that does not answer they are zero.
type PeerStatus struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Suffrage is SuffrageVoter or SuffrageNonvoter.
	Suffrage string `json:"suffrage"`
	// State is the member's Raft state in small letters: leader, follower, candidate, shutdown or
	// waiting, which is one that runs no Raft yet.
	State string `json:"state"`
	// AppliedIndex is the last log index whose effect the member's own store holds.
	AppliedIndex uint64 `json:"appliedIndex"`
	// Lag is how many log entries the member's store is behind what is committed.
	Lag uint64 `json:"lag"`
	// Checksum is that of the member's records at ChecksumIndex: members with the same records have the
	// same one at the same index.
	Checksum      Checksum `json:"checksum,omitempty"`
	ChecksumIndex uint64   `json:"checksumIndex,omitempty"`
	// Divergence describes how the member's records are known to differ from what they should be, or
	// from those of other members; empty when they are not.
	Divergence string `json:"divergence,omitempty"`
	// Failing names the checks of /readyz that the member would not pass, as far as it says; none on one that is ready.
	Failing []string `json:"failing,omitempty"`
	// Release is the version of the program that the member runs.
	Release string `json:"release,omitempty"`
	// LastContact is when the member answered, by the clock of the node that was asked.
	LastContact time.Time `json:"lastContact,omitzero"`
	// Reachable reports whether the member answered just now.
	Reachable bool `json:"reachable"`
}

// Peers is the membership with the state of every member.
type Peers struct {
	Members []PeerStatus `json:"members"`
	// FailureTolerance is how many more voters may fail before the cluster takes no writes; a
	// negative number says how many are missing for a quorum.
	FailureTolerance int `json:"failureTolerance"`
}

// Member is one node of the cluster as clients see it. Address is where other nodes reach it, Port
// its public HTTP port.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Voter reports whether the member has a vote; a non-voter only reads.
	Voter bool `json:"voter"`
}

// Leader is where the leader of the moment is found.
type Leader struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
}

// Check is one line of a node's readiness.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail describes in words what is wrong; empty when nothing is. A check may be OK and still have one.
	Detail string `json:"detail,omitempty"`
}
