package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Leader is where the leader is found: Address is its peer port, Port its public one.
type Leader struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
}

// Member is a node of the cluster.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Voter reports whether the member has a vote; one without it only reads.
	Voter bool `json:"voter"`
}

// Peer is a member as the node that was asked sees it. What follows Suffrage, and Port, is what the member itself says
// just now; of one that does not answer they are zero.
type Peer struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	// Suffrage is voter or nonvoter.
	Suffrage string `json:"suffrage"`
	// State is leader, follower, candidate, shutdown or waiting.
	State        string `json:"state"`
	AppliedIndex uint64 `json:"appliedIndex"`
	// Lag is how many log entries the member is behind what is committed.
	Lag           uint64 `json:"lag"`
	Checksum      string `json:"checksum,omitempty"`
	ChecksumIndex uint64 `json:"checksumIndex,omitempty"`
	// Divergence describes how the member's records are known to differ from what they should be, "" when they are not.
	Divergence string `json:"divergence,omitempty"`
	// Failing names the checks of its readiness that the member would not pass, as far as it says.
	Failing []string `json:"failing,omitempty"`
	// Release is the version of the program that the member runs.
	Release     string    `json:"release,omitempty"`
	LastContact time.Time `json:"lastContact,omitzero"`
	Reachable   bool      `json:"reachable"`
}

// Peers are the members of a cluster.
type Peers struct {
	Members []Peer `json:"members"`
	// FailureTolerance is how many more voters may fail before the cluster takes no writes; a negative number says how
	// many are missing for a quorum.
	FailureTolerance int `json:"failureTolerance"`
}

// Peers lists the members.
func (c *Client) Peers(ctx context.Context) (Peers, error) {
	return ask[Peers](ctx, c, &request{method: http.MethodGet, path: "/peers"})
}

// Leader returns who leads, ErrNoLeader when nobody is known to.
func (c *Client) Leader(ctx context.Context) (Leader, error) {
	return ask[Leader](ctx, c, &request{method: http.MethodGet, path: "/leader"})
}

// TransferLeadership hands leadership to a voter, and returns who leads then.
func (c *Client) TransferLeadership(ctx context.Context, id string) (Leader, error) {
	return ask[Leader](ctx, c, &request{method: http.MethodPost, path: "/leader/" + url.PathEscape(id), manner: once})
}

// JoinOptions describe what a new member is to be.
type JoinOptions struct {
	// NonVoter adds a member that gets everything and has no vote.
	NonVoter bool
}

// Join makes the node that answers at a peer address a member. It may be called again for one that is.
func (c *Client) Join(ctx context.Context, id, address string, opts JoinOptions) (Member, error) {
	r := &request{method: http.MethodPost, path: "/join/" + url.PathEscape(id) + "/" + url.PathEscape(address), manner: once}
	r.query = url.Values{"voter": {strconv.FormatBool(!opts.NonVoter)}}
	return ask[Member](ctx, c, r)
}

// RemoveOptions set what a removal may cost.
type RemoveOptions struct {
	// Force removes the member although the voters left alive could not form a quorum.
	Force bool
}

// Remove removes a member.
func (c *Client) Remove(ctx context.Context, id string, opts RemoveOptions) error {
	_, err := c.do(ctx, &request{method: http.MethodDelete, path: "/peer/" + url.PathEscape(id), manner: once, query: url.Values{"force": {strconv.FormatBool(opts.Force)}}})
	return err
}

// ask sends a request until it is answered, and reads the answer.
func ask[T any](ctx context.Context, c *Client, r *request) (said T, err error) {
	a, err := c.do(ctx, r)
	if err != nil {
		return said, err
	}
	err = a.decode(&said)
	return said, err
}

// Readiness describes whether a node should get requests: when every check is OK.
type Readiness struct {
	Node   string  `json:"node"`
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
}

// Check is one line of a node's readiness.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail describes what is wrong. A check may be OK and still have one.
	Detail string `json:"detail,omitempty"`
}

// Status asks every address of the Client whether its node is ready, all at once, each one time.
func (c *Client) Status(ctx context.Context) []NodeStatus {
	all := make([]NodeStatus, len(c.addresses))
	var wg sync.WaitGroup
	for i, at := range c.addresses {
		wg.Go(func() { all[i] = c.statusOf(ctx, at) })
	}
	wg.Wait()
	return all
}

// NodeStatus is how one node does.
type NodeStatus struct {
	Address string
	Readiness
	// Index is the log index that the node has applied.
	Index uint64
	// Err is why it is not known how the node does, nil when it is.
	Err error
}

func (c *Client) statusOf(ctx context.Context, at *address) NodeStatus {
	s := NodeStatus{Address: at.text}
	a, failure := c.attempt(ctx, at, &request{method: http.MethodGet, path: "/readyz"}, c.attemptTimeout)
	if a.body != nil && json.Unmarshal(a.body, &s.Readiness) == nil && s.Node != "" {
		s.Index = indexOf(a.header)
		return s
	}
	if failure == nil {
		failure = &Error{Code: ErrNotVersiond, Status: a.status, Address: at.text, Detail: at.text + " answered, and not as a node does"}
	}
	s.Err = failure
	return s
}
