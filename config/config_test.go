package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGetConfigIsFreshAndValid(t *testing.T) {
	GetConfig().Raft.Nodes[0].ID = "changed"
	require.Equal(t, "node1", GetConfig().Raft.Nodes[0].ID, "one caller's change must not reach another")
	require.NoError(t, GetConfig().Validate())
}

func TestLocalNodes(t *testing.T) {
	nodes := GetConfig().Raft.Nodes
	tests := []struct {
		name   string
		change func(*Config)
		want   []Node
	}{
		{"all that are listed", func(*Config) {}, nodes},
		{"the one that is named", func(c *Config) { c.OnlyNode = "node2" }, nodes[1:2]},
		{"one that is not listed", func(c *Config) {
			c.OnlyNode, c.Address, c.Port = "node4", "10.0.0.4:7001", 8081
		}, []Node{{ID: "node4", Address: "10.0.0.4:7001", Port: 8081}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, withConfig(tt.change).LocalNodes())
		})
	}
}

func TestLocalNodesCannotChangeTheConfiguration(t *testing.T) {
	c := GetConfig()
	c.LocalNodes()[0].ID = "changed"
	require.Equal(t, GetConfig(), c)
}

func TestListed(t *testing.T) {
	require.True(t, GetConfig().Listed("node3"))
	require.False(t, GetConfig().Listed("node4"))
}

func TestBindHost(t *testing.T) {
	tests := []struct{ name, bind, address, want string }{
		{"server.bind first", "0.0.0.0", "10.0.0.1:7001", "0.0.0.0"},
		{"then the host of the address", "", "10.0.0.1:7001", "10.0.0.1"},
		{"host names stay names", "", "db-1.example.net:7001", "db-1.example.net"},
		{"without brackets", "", "[::1]:7001", "::1"},
		{"never all interfaces unasked", "", ":7001", "127.0.0.1"},
		{"nothing set", "", "", "127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Server: Server{Bind: tt.bind}}
			require.Equal(t, tt.want, c.BindHost(Node{Address: tt.address}))
		})
	}
}
