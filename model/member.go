package model

// Member is one node of the cluster as clients see it. Address is where other nodes reach it, Port
// its public HTTP port.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Voter tells a voter from a non-voter, which only reads.
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
	// Detail says in words what is wrong; empty when nothing is. A check may be OK and still have
	// something to tell.
	Detail string `json:"detail,omitempty"`
}
