package server

import (
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

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

// ConnectionsMax returns how many connections each port gets when the files that the process may open are shared
// out between those of its nodes, of which each has two.
func ConnectionsMax(nodes int) int { return portConnectionsMax(openFilesMax(), nodes) }

func portConnectionsMax(files uint64, nodes int) int {
	open := int(min(files, 1<<30))
	share := (open - min(filesKept, 2*open/3)) / (2 * nodes)
	return min(max(share, connectionsMin), connectionsMax)
}

// WarnOfFewFiles logs a warning when the process may open fewer files than its nodes need.
func WarnOfFewFiles(nodes int, log *slog.Logger) {
	files := openFilesMax()
	if need := uint64(nodeFilesMin * nodes); files < need {
		log.Warn("this process may open too few files: clients will be cut off, and stores may fail; raise the limit (ulimit -n, LimitNOFILE=, ulimits:)",
			"limit", files, "needed", need, "connectionsPerPort", portConnectionsMax(files, nodes))
	}
}

// connections bounds how many connections one server has. When there are too many, the one goes whose client
// misses it least: who waits for an answer gets it, and neither those who hold connections without using them nor
// those who gave up waiting can keep others out.
type connections struct {
	max int
	log *slog.Logger // for what may repeat
	// These make room, in this order. Who stopped sending waits, or gave up and is gone: it cannot be told which.
	// The newest that have not yet sent a whole header are about to; those before them count as idle.
	idle, stopped, fresh *waiting
	freshMax             int

	mu   sync.Mutex
	open map[net.Conn]*waiting // where each one is: nil while it waits for its answer
}

// waiting are connections, those that came first foremost. Those of connections are guarded by its mu.
type waiting = simplelru.LRU[net.Conn, struct{}]

func newWaiting() *waiting {
	w, _ := simplelru.NewLRU[net.Conn, struct{}](math.MaxInt, nil) // only a size of nothing is an error
	return w
}

func newConnections(most int, log *slog.Logger) *connections {
	return &connections{
		max: most, freshMax: max(most/4, 1), log: logs.Calm(log), open: map[net.Conn]*waiting{},
		idle: newWaiting(), stopped: newWaiting(), fresh: newWaiting(),
	}
}

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if c.opened(conn) > c.max {
			c.makeRoom("a port has as many connections as it may")
		}
	case http.StateIdle:
		c.move(conn, c.idle)
	case http.StateActive:
		c.move(conn, nil)
	case http.StateClosed, http.StateHijacked:
		c.closed(conn)
	}
}

// stopsSending is told of a connection whose client waits for an answer, and will send nothing more.
func (c *connections) stopsSending(conn net.Conn) { c.move(conn, c.stopped) }

// opened returns how many connections there are with this one.
func (c *connections) opened(conn net.Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = c.fresh
	if c.fresh.Add(conn, struct{}{}); c.fresh.Len() > c.freshMax {
		slow, _, _ := c.fresh.RemoveOldest()
		c.open[slow] = c.idle
		c.idle.Add(slow, struct{}{})
	}
	return len(c.open)
}

// move does nothing with a connection that has made room: its server notices a little later.
func (c *connections) move(conn net.Conn, to *waiting) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, open := c.open[conn]
	if !open {
		return
	}
	if from != nil {
		from.Remove(conn)
	}
	if to != nil {
		to.Add(conn, struct{}{})
	}
	c.open[conn] = to
}

func (c *connections) closed(conn net.Conn) {
	c.move(conn, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

func (c *connections) makeRoom(why string) {
	conn, what := c.spare()
	c.log.Warn(why+"; "+what, "max", c.max)
	if conn != nil {
		_ = abort(conn)
	}
}

// abort closes a connection without waiting for its client.
func abort(conn net.Conn) error {
	if secure, ok := conn.(*secureConn); ok {
		return secure.abort()
	}
	return conn.Close()
}

// spare takes out the connection that is to make room, which is the newest itself when all others wait for
// answers, and says which it is. There may be none.
func (c *connections) spare() (conn net.Conn, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range []struct {
		among *waiting
		what  string
	}{
		{c.idle, "the one that was idle longest is closed"},
		{c.stopped, "none is idle, and the one is closed whose client stopped sending first, and may have given up"},
		{c.fresh, "all wait for answers, and the oldest is closed that has not sent a request yet"},
	} {
		if conn, _, there := each.among.RemoveOldest(); there {
			delete(c.open, conn)
			return conn, each.what
		}
	}
	return nil, "all wait for answers, and none is closed"
}

// on makes room when the process has no file left for another connection: the listener would otherwise wait
// until a client goes by itself.
func (c *connections) on(listener net.Listener) net.Listener { return roomyListener{listener, c} }

type roomyListener struct {
	net.Listener
	room *connections
}

func (l roomyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if group.NoFileLeft(err) {
		l.room.makeRoom("no file is left for another connection")
	}
	return conn, err
}
