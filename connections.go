package main

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"

	"versiond/group"
	"versiond/logs"
)

const (
	// connectionsMax bounds the connections of one port. Each costs about 20 KiB.
	connectionsMax = 10_000
	// filesKept is how many files of a process are not for connections of clients: its stores, its log,
	// its connections to other nodes. Of few files it is two thirds.
	filesKept = 512
	// connectionsMin is what a port takes however few files the process may open.
	connectionsMin = 4
	// nodeFilesMin is how many files a node should have: a hundred of them are for connections to its
	// stores, to the other nodes and of its clients.
	nodeFilesMin = 160
)

// portConnectionsMax shares out the files that the process may open between the ports of its nodes, of
// which each has two.
func portConnectionsMax(files uint64, nodes int) int {
	open := int(min(files, 1<<30))
	share := (open - min(filesKept, 2*open/3)) / (2 * nodes)
	return min(max(share, connectionsMin), connectionsMax)
}

// warnOfFewFiles says so when the process may open fewer files than its nodes need.
func warnOfFewFiles(files uint64, nodes int, log *slog.Logger) {
	if need := uint64(nodeFilesMin * nodes); files < need {
		log.Warn("this process may open too few files: clients will be cut off, and stores may fail; raise the limit (ulimit -n, LimitNOFILE=, ulimits:)",
			"limit", files, "needed", need, "connectionsPerPort", portConnectionsMax(files, nodes))
	}
}

// connections bounds how many connections one server has. When there are too many, the one goes that has
// been idle longest, or has not yet sent a whole header: nobody loses an answer, and those who hold
// connections without using them cannot keep others out.
type connections struct {
	max  int
	log  *slog.Logger // for what may repeat
	idle *group.Crowd[net.Conn]

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func newConnections(max int, log *slog.Logger) *connections {
	return &connections{max: max, log: logs.Calm(log), idle: group.NewCrowd[net.Conn](), open: map[net.Conn]struct{}{}}
}

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.idle.Enter(conn)
		if c.opened(conn) > c.max {
			c.makeRoom("a port has as many connections as it may; the one that was idle longest is closed")
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
func (c *connections) makeRoom(why string) {
	c.log.Warn(why, "max", c.max)
	if conn, there := c.idle.Oldest(); there {
		c.closed(conn) // counted no more, though its server notices a little later
		_ = conn.Close()
	}
}

// on makes room when the process has no file left for another connection: the listener would otherwise wait
// until an idle client goes by itself.
func (c *connections) on(listener net.Listener) net.Listener { return roomyListener{listener, c} }

type roomyListener struct {
	net.Listener
	room *connections
}

func (l roomyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.room.makeRoom("no file is left for another connection; the one that was idle longest is closed")
	}
	return conn, err
}
