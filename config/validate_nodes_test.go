package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateNodes(t *testing.T) {
	second := func(change func(*Node)) func(*Config) { return func(c *Config) { change(&c.Raft.Nodes[1]) } }
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no id", second(func(n *Node) { n.ID = "" }), `raft.nodes[1].id: "" has to match`},
		{"capitals", second(func(n *Node) { n.ID = "Node2" }), `raft.nodes[1].id: "Node2" has to match [a-z0-9][a-z0-9_-]{0,31}; a right value is node1`},
		{"first character", second(func(n *Node) { n.ID = "-node" }), "raft.nodes[1].id"},
		{"path", second(func(n *Node) { n.ID = "../node" }), "raft.nodes[1].id"},
		{"line end", second(func(n *Node) { n.ID = "node\n" }), "raft.nodes[1].id"},
		{"33 characters", second(func(n *Node) { n.ID = strings.Repeat("n", 33) }), "raft.nodes[1].id"},
		{"duplicate id", second(func(n *Node) { n.ID = "node1" }), "raft.nodes[1].id: takes node1, which raft.nodes[0].id has already"},

		{"no address", second(func(n *Node) { n.Address = "" }), `raft.nodes[1].address: "" is not host:port`},
		{"no port in it", second(func(n *Node) { n.Address = "127.0.0.1" }), `raft.nodes[1].address: "127.0.0.1" is not host:port; a right value is 127.0.0.1:7001`},
		{"no host in it", second(func(n *Node) { n.Address = ":7002" }), "is no place that other nodes can reach"},
		{"IPv4 wildcard", second(func(n *Node) { n.Address = "0.0.0.0:7002" }), "is no place that other nodes can reach"},
		{"IPv6 wildcard", second(func(n *Node) { n.Address = "[::]:7002" }), "is no place that other nodes can reach"},
		{"IPv4 wildcard as IPv6", second(func(n *Node) { n.Address = "[::ffff:0.0.0.0]:7002" }), "is no place that other nodes can reach"},
		{"URL", second(func(n *Node) { n.Address = "http://127.0.0.1:7002" }), "is not host:port"},
		{"slip in an IP address", second(func(n *Node) { n.Address = "10.0.0.300:7002" }), "is not host:port"},
		{"port 0 in it", second(func(n *Node) { n.Address = "127.0.0.1:0" }), "has a port outside 1 to 65535"},
		{"high port in it", second(func(n *Node) { n.Address = "127.0.0.1:65536" }), "has a port outside 1 to 65535"},
		{"named port in it", second(func(n *Node) { n.Address = "127.0.0.1:http" }), "has a port outside 1 to 65535"},
		{"duplicate address", second(func(n *Node) { n.Address = "127.0.0.1:7001" }), "raft.nodes[1].address: takes 127.0.0.1:7001, which raft.nodes[0].address has already"},

		{"port 0", second(func(n *Node) { n.Port = 0 }), "raft.nodes[1].port: is 0; it has to be from 1 to 65535; a right value is 8081"},
		{"negative port", second(func(n *Node) { n.Port = -1 }), "raft.nodes[1].port: is -1"},
		{"high port", second(func(n *Node) { n.Port = 65536 }), "raft.nodes[1].port: is 65536"},
		{"duplicate port", second(func(n *Node) { n.Port = 8081 }), "raft.nodes[1].port: takes 127.0.0.1:8081, which raft.nodes[0].port has already"},
		{"both ports the same", second(func(n *Node) { n.Port = 7002 }), "raft.nodes[1].port: takes 127.0.0.1:7002, which raft.nodes[1].address has already"},
		{"port of another's address", second(func(n *Node) { n.Port = 7001 }), "raft.nodes[1].port: takes 127.0.0.1:7001, which raft.nodes[0].address has already"},
		{"no nodes", func(c *Config) { c.Raft.Nodes = nil }, "raft.nodes: lists no node, and --node names none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireOneProblem(t, withConfig(tt.change), tt.want) })
	}
}

func TestAddressesAreComparedInOneSpelling(t *testing.T) {
	tests := [][2]string{
		{"[::1]:7001", "[0:0::1]:7001"},
		{"127.0.0.1:7001", "[::ffff:127.0.0.1]:7001"},
		{"db1.example.net:7001", "DB1.example.net.:7001"},
		{"h:7001", "h:07001"},
	}
	for _, tt := range tests {
		t.Run(tt[1], func(t *testing.T) {
			nodes := []Node{{"a", tt[0], 8081}, {"b", tt[1], 8082}}
			c := withOpenConfig(func(c *Config) { c.Raft.Nodes = nodes })
			requireOneProblem(t, c, "which raft.nodes[0].address has already")
		})
	}
}

// One port on every host is the usual cluster; it only fits one process when that runs one node.
func TestSamePortsOnDifferentHosts(t *testing.T) {
	c := withOpenConfig(func(c *Config) {
		c.Raft.Nodes = []Node{{"a", "h1:7000", 8080}, {"b", "h2:7000", 8080}}
	})
	require.NoError(t, c.Validate())

	c.Server.Bind = "0.0.0.0"
	require.ErrorContains(t, c.Validate(), "raft.nodes[1].address: takes 0.0.0.0:7000, which raft.nodes[0].address has already")
	require.ErrorContains(t, c.Validate(), "raft.nodes[1].port: takes 0.0.0.0:8080, which raft.nodes[0].port has already")

	c.OnlyNode = "b"
	require.NoError(t, c.Validate())
}

func TestValidateOnlyNode(t *testing.T) {
	node := func(id, address string, port int, join ...string) func(*Config) {
		return func(c *Config) { c.OnlyNode, c.Address, c.Port, c.Join = id, address, port, join }
	}
	const bothNeeded = `node: "node4" is none of raft.nodes (node1, node2, node3), so --address and --port are both needed`
	tests := []struct {
		name   string
		change func(*Config)
		want   string // empty when all is right
	}{
		{"listed", node("node2", "", 0), ""},
		{"listed, said again", node("node2", "127.0.0.1:7002", 8082), ""},
		{"listed, with members to ask", node("node2", "", 0, "127.0.0.1:7001"), ""},
		{"listed elsewhere", node("node2", "127.0.0.1:7009", 0), `address: is "127.0.0.1:7009", but raft.nodes has node2 at 127.0.0.1:7002`},
		{"listed with another port", node("node2", "", 8089), "port: is 8089, but raft.nodes has node2 with port 8082"},

		{"not listed", node("node4", "127.0.0.1:7004", 8084), ""},
		{"not listed, joins", node("node4", "127.0.0.1:7004", 8084, "127.0.0.1:7001", "h:7002"), ""},
		{"not listed, nothing said", node("node4", "", 0), bothNeeded},
		{"not listed, no port", node("node4", "127.0.0.1:7004", 0), bothNeeded},
		{"not listed, no address", node("node4", "", 8084), bothNeeded},
		{"not listed, bad id", node("Node4", "127.0.0.1:7004", 8084), `node: "Node4" has to match`},
		{"not listed, wildcard", node("node4", "0.0.0.0:7004", 8084), `address: "0.0.0.0:7004" is no place that other nodes can reach`},
		{"not listed, bad port", node("node4", "127.0.0.1:7004", 70000), "port: is 70000"},
		{"not listed, at a listed address", node("node4", "127.0.0.1:7001", 8084), "address: takes 127.0.0.1:7001, which raft.nodes[0].address has already"},
		{"not listed, port taken", node("node4", "127.0.0.1:7004", 8081), "port: takes 127.0.0.1:8081, which raft.nodes[0].port has already"},

		{"address for nobody", node("", "127.0.0.1:7004", 0), "address: is given for one node, and --node does not say which"},
		{"port for nobody", node("", "", 8084), "port: is given for one node"},
		{"join for nobody", node("", "", 0, "127.0.0.1:7001"), "join: is given for one node"},

		{"join without port", node("node2", "", 0, "h:1", "h"), `join[1]: "h" is not host:port; a right value is 10.0.0.1:7001`},
		{"join a wildcard", node("node2", "", 0, "0.0.0.0:7001"), `join[0]: "0.0.0.0:7001" is no place`},
		{"empty join", node("node2", "", 0, ""), `join[0]: "" is not host:port`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := withConfig(tt.change)
			if tt.want == "" {
				require.NoError(t, c.Validate())
				return
			}
			requireOneProblem(t, c, tt.want)
		})
	}
}

func TestUnlistedNodeNeedsNoList(t *testing.T) {
	c := withOpenConfig(func(c *Config) {
		c.Raft.Nodes, c.OnlyNode, c.Address, c.Port = nil, "node4", "h:1", 2
	})
	require.NoError(t, c.Validate())
}

// The node's own id counts for the length of its database's name, listed or not.
func TestLongIDOfAnUnlistedNode(t *testing.T) {
	c := withOpenConfig(func(c *Config) {
		c.OnlyNode, c.Address, c.Port = strings.Repeat("n", 32), "h:1", 2
		c.MySQL.DSN = Secret("u@tcp(db)/" + strings.Repeat("x", 32))
	})
	requireOneProblem(t, c, "mysql.dsn: names a database whose name makes 65 characters")
}

// A node that asks nobody but itself to be let in waits for ever, and nothing says why.
func TestOwnAddressAloneInJoin(t *testing.T) {
	alone := []string{"--node", "node9", "--address", "127.0.0.1:7009", "--port", "8089", "--join", "127.0.0.1:7009"}
	_, err := load(t, alone)
	require.ErrorContains(t, err, "join: names this node's own address and no other")
	mustLoad(t, append(alone, "--join", "127.0.0.1:7001"))
	mustLoad(t, []string{"--node", "node1", "--join", "127.0.0.1:7001"})
}
