package cluster

import (
	"fmt"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/proxy"
	"versiond/test/harness/servers"
)

// Lines is what one node stores with, and the proxies by which it reaches it.
type Lines struct {
	// Server is the node's own MySQL or MariaDB, Database the name of its database there.
	Server   *servers.SQLServer
	Database string
	// MySQL lies between the node and Server, Redis between it and the Redis that all nodes share.
	MySQL, Redis *proxy.Proxy
}

// perNodeStore is a server of databases for each node, and one Redis database for all.
type perNodeStore struct {
	*serverStore
	shared *servers.Shared
	byNode map[string]*Lines
}

func newPerNodeStore(t testing.TB, cfg Config, number int) *perNodeStore {
	t.Helper()
	s := &perNodeStore{serverStore: newRedisStore(t, cfg.Shared, number), shared: cfg.Shared, byNode: map[string]*Lines{}}
	for i, server := range cfg.Shared.SQLs(t, cfg.Nodes) {
		s.connect(fmt.Sprintf("node%d", i+1), server)
	}
	return s
}

func (s *perNodeStore) connect(node string, server *servers.SQLServer) *Lines {
	s.t.Helper()
	lines := &Lines{
		Server:   server,
		Database: s.name + "_" + node,
		MySQL:    s.mustListen(net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port))),
		Redis:    s.mustListen(s.redis.Options().Addr),
	}
	s.byNode[node] = lines
	return lines
}

func (s *perNodeStore) mustListen(target string) *proxy.Proxy {
	s.t.Helper()
	p, err := proxy.Listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(s.t))), target)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = p.Close() })
	return p
}

// lines returns those of a node; one that is not listed gets a server that no other has.
func (s *perNodeStore) lines(node string) *Lines {
	s.t.Helper()
	if lines := s.byNode[node]; lines != nil {
		return lines
	}
	all := s.shared.SQLs(s.t, len(s.byNode)+1)
	return s.connect(node, all[len(all)-1])
}

func (s *perNodeStore) env(node string) []string {
	lines := s.lines(node)
	return s.variables(lines.Server.DSNThrough(lines.MySQL.Addr(), s.name), lines.Redis.Addr())
}

func (s *perNodeStore) addresses(node string) []string {
	lines := s.lines(node)
	return []string{lines.MySQL.Addr(), lines.Redis.Addr()}
}

func (s *perNodeStore) database(node, _ string) Database {
	s.t.Helper()
	return s.databaseOn(s.lines(node).Server, node)
}
