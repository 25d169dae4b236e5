package cluster

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/network"
	"versiond/test/harness/servers"
)

// Config describes the cluster that a test wants.
type Config struct {
	// Program is the path that Build returned.
	Program string
	// Nodes is how many nodes are listed in raft.nodes; 3 when 0.
	Nodes int
	// Shared makes the nodes run on its MySQL, or MariaDB, and Redis; nil makes them run embedded.
	Shared *servers.Shared
	// PerNode has every node use a server of databases of its own out of Shared, and puts a proxy between each
	// node and each of its servers.
	PerNode bool
	// Env are further variables for every node, such as VERSIOND_RAFT_TRAILINGLOGS=10.
	Env []string
	// OwnMachines runs each node in a network namespace of its own, in the Cluster's Network. Nodes then do
	// not ask who uses them. It takes Linux and root.
	OwnMachines bool
	// KeepFailed keeps data and logs of a cluster whose test failed.
	KeepFailed bool
	// Token is what clients of the nodes send, and Secret what they show the peer port; "" for neither.
	Token, Secret string
}

// Cluster is a number of versiond processes on this machine.
type Cluster struct {
	// Nodes are the listed ones, node1 first, and after them those that AddNode made.
	Nodes []*Node
	// Network is between the nodes when each has a machine of its own, and nil otherwise.
	Network *network.Network

	t     testing.TB
	cfg   Config
	dir   string
	store store
	env   []string
}

var clustersMade atomic.Int64

// New prepares a cluster whose nodes do not run yet.
func New(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	if cfg.Nodes == 0 {
		cfg.Nodes = 3
	}
	c := &Cluster{t: t, cfg: cfg, dir: tempDir(t, cfg.KeepFailed)}
	c.store = newStore(t, c, int(clustersMade.Add(1)))
	if cfg.OwnMachines {
		c.Network = network.Must(t)
	}
	places, listed := make([]place, cfg.Nodes), make([]string, cfg.Nodes)
	for i := range places {
		places[i] = c.newPlace()
		listed[i] = fmt.Sprintf("node%d=%s/%d", i+1, places[i].peerAddress(), places[i].public)
	}
	c.env = c.environment("VERSIOND_RAFT_NODES=" + strings.Join(listed, ","))
	for i, p := range places {
		id := fmt.Sprintf("node%d", i+1)
		c.Nodes = append(c.Nodes, newNode(c, id, p, []string{"--node", id}))
	}
	return c
}

// Start prepares a cluster, starts its nodes and waits until all of them are ready and have a vote.
func Start(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	c := New(t, cfg)
	c.StartAll()
	c.WaitReady()
	return c
}

// environment returns the whole environment of a node: a variable of the machine that begins with
// VERSIOND_ would be a setting, or an error.
func (c *Cluster) environment(more ...string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "VERSIOND_DATA_DIR=" + c.dir, "VERSIOND_SERVER_RELOADINTERVAL=1s"}
	if c.cfg.OwnMachines {
		env = append(env, "VERSIOND_AUTH_DISABLED=true")
	}
	return append(append(env, c.cfg.Env...), more...)
}

// AddNode prepares a node that is not listed, named by id, with further arguments such as --join. It
// does not start it.
func (c *Cluster) AddNode(id string, args ...string) *Node {
	c.t.Helper()
	p := c.newPlace()
	args = append([]string{"--node", id, "--address", p.peerAddress(), "--port", fmt.Sprint(p.public)}, args...)
	n := newNode(c, id, p, args)
	c.Nodes = append(c.Nodes, n)
	return n
}

// Retire stops a node that AddNode made, takes it out of Nodes, and removes its data directory, as when a
// machine is given back. AddNode may make one with its id again.
func (c *Cluster) Retire(n *Node) {
	c.t.Helper()
	if n.Running() {
		n.Stop()
	}
	c.Nodes = slices.DeleteFunc(c.Nodes, func(each *Node) bool { return each == n })
	require.NoError(c.t, os.RemoveAll(n.Dir))
}

// StartAll starts every node that does not run.
func (c *Cluster) StartAll() {
	c.t.Helper()
	for _, n := range c.Nodes {
		if !n.Running() {
			n.Start()
		}
	}
}

// StopAll stops every node that runs.
func (c *Cluster) StopAll() {
	c.t.Helper()
	for _, n := range c.running() {
		n.Stop()
	}
}

// Clients returns a client of each node, also of those that do not run.
func (c *Cluster) Clients() []*Client {
	clients := make([]*Client, len(c.Nodes))
	for i, n := range c.Nodes {
		clients[i] = n.Client
	}
	return clients
}

// Node returns the node with this id.
func (c *Cluster) Node(id string) *Node {
	c.t.Helper()
	for _, n := range c.Nodes {
		if n.ID == id {
			return n
		}
	}
	c.t.Fatalf("no node is called %q", id)
	return nil
}

func (c *Cluster) running() []*Node {
	var nodes []*Node
	for _, n := range c.Nodes {
		if n.Running() {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// Dir is where the nodes' data directories and logs are.
func (c *Cluster) Dir() string { return c.dir }

// keptAnyway reports whether whoever runs the tests keeps what failed ones leave.
func keptAnyway() bool { return os.Getenv("KEEP") == "1" }

// tempDir is short. It is kept when the test fails and keep is set, or KEEP=1.
func tempDir(t testing.TB, keep bool) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vc")
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() && (keep || keptAnyway()) {
			t.Logf("kept %s", dir)
			return
		}
		_ = os.RemoveAll(dir) // what is left is the temporary directory's to clean
	})
	return dir
}
