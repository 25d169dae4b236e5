package main

import (
	"net"
	"net/http"
	"sync"

	"versiond/group"
)

const (
	// connectionsMax bounds the connections of one port. Each costs about 20 KiB.
	connectionsMax = 10_000
	// filesKept is how many files of a process are not for connections of clients: its stores, its log,
	// its connections to other nodes.
	filesKept = 512
	// connectionsMin is what a port takes however few files the process may open.
	connectionsMin = 64
)

// portConnectionsMax shares out the files that the process may open between the ports of its nodes, of
// which each has two.
func portConnectionsMax(files uint64, nodes int) int {
	share := (int(min(files, 1<<30)) - filesKept) / (2 * nodes)
	return min(max(share, connectionsMin), connectionsMax)
}

// connections bounds how many connections one server has. When there are too many, the one goes that has
// been idle longest, or has not yet sent a whole header: nobody loses an answer, and those who hold
// connections without using them cannot keep others out.
type connections struct {
	max  int
	idle *group.Crowd[net.Conn]

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func newConnections(max int) *connections {
	return &connections{max: max, idle: group.NewCrowd[net.Conn](), open: map[net.Conn]struct{}{}}
}

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.idle.Enter(conn)
		if c.opened(conn) > c.max {
			c.makeRoom()
		}
	case http.StateIdle:
		c.idle.Enter(conn)
	case http.StateActive:
		c.idle.Leave(conn)
	case http.StateClosed, http.StateHijacked:
		c.idle.Leave(conn)
		c.closed(conn)
	}
}

func (c *connections) opened(conn net.Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = struct{}{}
	return len(c.open)
}

func (c *connections) closed(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

// makeRoom closes the connection that has been idle longest: the newest one itself when all others are in use.
func (c *connections) makeRoom() {
	if conn, there := c.idle.Oldest(); there {
		c.closed(conn) // counted no more, though its server notices a little later
		_ = conn.Close()
	}
}
