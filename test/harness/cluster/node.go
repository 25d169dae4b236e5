package cluster

import (
	"net"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/network"
)

// place is where a node listens.
type place struct {
	host         string
	peer, public int
	machine      *network.Host // nil on the machine of the test itself
}

func (p place) peerAddress() string { return net.JoinHostPort(p.host, strconv.Itoa(p.peer)) }

func (p place) publicAddress() string { return net.JoinHostPort(p.host, strconv.Itoa(p.public)) }

// The ports of a node that has a machine of its own.
const peerPort, publicPort = 7001, 8081

// newPlace returns free ports of this machine, or a machine of its own in the cluster's network.
func (c *Cluster) newPlace() place {
	c.t.Helper()
	if c.Network == nil {
		return place{host: "127.0.0.1", peer: FreePort(c.t), public: FreePort(c.t)}
	}
	machine, err := c.Network.NewHost()
	require.NoError(c.t, err)
	return place{host: machine.Addr.String(), peer: peerPort, public: publicPort, machine: machine}
}

// Node is one versiond process and what belongs to it.
type Node struct {
	*Process
	// ID is the node's name, Dir its data directory, Address its peer port.
	ID, Dir, Address string
	// Port is the public HTTP port, and Client asks there.
	Port   int
	Client *Client
	// Machine is where the node runs, nil on the machine of the test itself.
	Machine *network.Host
	// Database is the node's own: the truth of what it has applied.
	Database Database
	// Lines is what lies between the node and its servers; nil unless the cluster's are one per node.
	Lines *Lines
}

func newNode(c *Cluster, id string, p place, args []string) *Node {
	c.t.Helper()
	dir := filepath.Join(c.dir, id)
	database := c.store.database(id, dir)
	env := slices.Concat(c.env, c.store.env(id))
	n := &Node{
		Process: NewProcess(c.t, c.cfg.Program, args, env, filepath.Join(c.dir, id+".log")),
		ID:      id, Dir: dir, Address: p.peerAddress(), Port: p.public, Machine: p.machine,
		Client:   NewClient(c.t, p.publicAddress(), p.peerAddress()).As(c.cfg.Token, c.cfg.Secret),
		Database: database, Lines: c.store.lines(id),
	}
	n.keptLog = n.keptLog || c.cfg.KeepFailed
	if p.machine != nil {
		n.RunOn(p.machine)
		n.Client.dialBy(p.machine.Dial)
		for _, address := range c.store.addresses(id) {
			require.NoError(c.t, p.machine.Forward(address))
		}
	}
	return n
}
