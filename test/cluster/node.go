package cluster

import (
	"net"
	"path/filepath"
	"strconv"
)

type nodePorts struct{ peer, public int }

func (p nodePorts) peerAddress() string { return local(p.peer) }

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Node is one versiond process and what belongs to it.
type Node struct {
	*Process
	// ID is the node's name, Dir its data directory, Address its peer port.
	ID, Dir, Address string
	// Port is the public HTTP port, and Client asks there.
	Port   int
	Client *Client
	// Database is the node's own: the truth of what it has applied.
	Database Database
}

func newNode(c *Cluster, id string, ports nodePorts, args []string) *Node {
	c.t.Helper()
	dir := filepath.Join(c.dir, id)
	return &Node{
		Process: NewProcess(c.t, c.cfg.Program, args, c.env, filepath.Join(c.dir, id+".log")),
		ID:      id, Dir: dir, Address: ports.peerAddress(), Port: ports.public,
		Client:   NewClient(c.t, local(ports.public), ports.peerAddress()).As(c.cfg.Token, c.cfg.Secret),
		Database: c.store.database(id, dir),
	}
}
