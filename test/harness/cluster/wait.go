package cluster

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"versiond/model"
	"versiond/peer"
)

const (
	pollInterval = 30 * time.Millisecond
	readyTimeout = 30 * time.Second
)

// Eventually waits until check returns nil, and fails the test with its last error after timeout.
func Eventually(t testing.TB, timeout time.Duration, what string, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(timeout); ; {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, timeout, err)
		}
		time.Sleep(pollInterval)
	}
}

// WaitReady waits until every running node is ready and every listed node among them has a vote.
func (c *Cluster) WaitReady() {
	c.t.Helper()
	for _, n := range c.running() {
		n.WaitReady()
	}
	for _, n := range c.running() {
		if c.listed(n) {
			c.WaitSuffrage(n.ID, model.SuffrageVoter)
		}
	}
}

func (c *Cluster) listed(n *Node) bool {
	for _, each := range c.Nodes[:c.cfg.Nodes] {
		if each == n {
			return true
		}
	}
	return false
}

// WaitReady waits until the node is ready.
func (n *Node) WaitReady() {
	n.t.Helper()
	Eventually(n.t, readyTimeout, n.ID+" is to be ready", func() error {
		if !n.Running() {
			n.t.Fatalf("%s has ended", n.ID)
		}
		return n.Client.Ready(n.t.Context())
	})
}

// WaitSuffrage waits until the leader has the member in this role and as reachable.
func (c *Cluster) WaitSuffrage(id, suffrage string) {
	c.t.Helper()
	Eventually(c.t, readyTimeout, id+" is to be a "+suffrage, func() error {
		member, err := c.member(id)
		if err != nil {
			return err
		}
		if member.Suffrage != suffrage || !member.Reachable {
			return fmt.Errorf("it is %+v", member)
		}
		return nil
	})
}

func (c *Cluster) member(id string) (model.PeerStatus, error) {
	leader, err := c.findLeader()
	if err != nil {
		return model.PeerStatus{}, err
	}
	peers, err := leader.Client.Peers(c.t.Context())
	if err != nil {
		return model.PeerStatus{}, err
	}
	for _, m := range peers.Members {
		if m.ID == id {
			return m, nil
		}
	}
	return model.PeerStatus{}, fmt.Errorf("%s is no member", id)
}

// Leader waits for a leader and returns its node.
func (c *Cluster) Leader() (leader *Node) {
	c.t.Helper()
	Eventually(c.t, readyTimeout, "a leader", func() (err error) {
		leader, err = c.findLeader()
		return err
	})
	return leader
}

// Followers returns the running nodes that do not lead.
func (c *Cluster) Followers() []*Node {
	c.t.Helper()
	leader := c.Leader()
	var followers []*Node
	for _, n := range c.running() {
		if n != leader {
			followers = append(followers, n)
		}
	}
	return followers
}

// findLeader asks every node for itself: of two that think they lead, the one of the newer term does.
func (c *Cluster) findLeader() (*Node, error) {
	var leader *Node
	var newest peer.Status
	var others []string // what the rest said
	for _, n := range c.running() {
		ctx, cancel := context.WithTimeout(c.t.Context(), time.Second)
		status, err := n.Client.Status(ctx)
		cancel()
		switch {
		case err != nil:
			others = append(others, fmt.Sprintf("%s: %v", n.ID, err))
		case status.State != "leader":
			others = append(others, fmt.Sprintf("%s is %s of term %d", n.ID, status.State, status.Term))
		case status.Term > newest.Term:
			leader, newest = n, status
		}
	}
	if leader == nil {
		return nil, fmt.Errorf("nobody leads: %s", strings.Join(others, "; "))
	}
	return leader, nil
}
