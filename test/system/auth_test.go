package system_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// secretWord is in every secret of these tests, so that one search finds any leak.
const (
	secretWord    = "hunter2"
	readToken     = secretWord + "-reads-records"
	writeToken    = secretWord + "-writes-records"
	adminToken    = secretWord + "-runs-the-cluster"
	clusterSecret = secretWord + "-among-the-nodes"
)

// guarded is a cluster with tokens and a secret whose nodes log everything.
func guarded(m mode) cluster.Config {
	cfg := m.config(
		"VERSIOND_AUTH_TOKENS=reader:read:"+readToken+",ci:write:"+writeToken+",ops:admin:"+adminToken,
		"VERSIOND_CLUSTER_SECRET="+clusterSecret,
		"VERSIOND_LOG_LEVEL=debug",
	)
	cfg.Token, cfg.Secret = adminToken, clusterSecret
	return cfg
}

// A guarded cluster does all that an open one does: it elects, followers pass writes and reads on, nodes
// join, leadership moves. And nobody gets in without a token. If this fails, a cluster that is made safe
// stops working, or is not safe.
func TestGuardedCluster(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, guarded(m))
		requireTokensWork(t, c)

		joining := c.AddNode("node4", "--join", c.Nodes[1].Address)
		joining.Start()
		c.WaitReady()
		c.WaitSuffrage("node4", model.SuffrageVoter)
		addWithin(t, joining, "through-node4", 5*time.Second)

		follower := c.Followers()[0]
		_, err := c.Leader().Client.Transfer(t.Context(), follower.ID)
		require.NoError(t, err)
		addWithin(t, follower, "after-the-transfer", 5*time.Second)
		require.NoError(t, c.Nodes[0].Client.Remove(t.Context(), "node4"))
		joining.Stop()
		requireRowCount(t, c.RequireEqualStores(), 5)
		requireNothingLeaks(t, c)
	})
}

// requireTokensWork leaves three records.
func requireTokensWork(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, n := range c.Nodes { // two of which pass it on to the leader
		nobody, reader, writer := n.Client.As("", ""), n.Client.As(readToken, ""), n.Client.As(writeToken, "")
		id := "written-on-" + n.ID
		_, err := nobody.Add(t.Context(), record(id))
		requireCode(t, "unauthorized", err)
		_, err = n.Client.As(clusterSecret, "").Add(t.Context(), record(id))
		requireCode(t, "unauthorized", err)
		_, err = reader.Add(t.Context(), record(id))
		requireCode(t, "forbidden", err)
		written, err := writer.Add(t.Context(), record(id))
		require.NoError(t, err)
		read, err := reader.Get(t.Context(), id, model.ReadOptions{})
		require.NoError(t, err)
		require.Equal(t, written.Record, read.Record)
		_, err = nobody.Get(t.Context(), id, model.ReadOptions{Level: model.LevelNone})
		requireCode(t, "unauthorized", err)
		requireCode(t, "forbidden", writer.Remove(t.Context(), n.ID))
		require.NoError(t, nobody.Ready(t.Context()), "probes have no tokens")
		_, err = nobody.Status(t.Context())
		requireCode(t, "unauthorized", err)
	}
}

// requireNothingLeaks looks for the secrets in the logs and in what the nodes tell about themselves.
func requireNothingLeaks(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, n := range c.Nodes {
		require.Contains(t, n.Log(), "level=DEBUG", "the log does not tell all")
		require.NotContains(t, n.Log(), secretWord)
	}
	require.Contains(t, c.Nodes[0].Log(), "token=ci")
	for _, path := range []string{"/peers", "/leader", "/readyz", "/metrics", "/openapi.yaml"} {
		_, answer, err := c.Nodes[0].Client.Send(t.Context(), false, http.MethodGet, path, nil, "")
		require.NoError(t, err)
		require.NotContains(t, string(answer), secretWord, path)
	}
	_, answer, err := c.Nodes[0].Client.Send(t.Context(), true, http.MethodGet, "/status", nil, "")
	require.NoError(t, err)
	require.NotContains(t, string(answer), secretWord)
}

// A node that does not know the secret gets in neither by asking nor by being asked for, both sides say
// why, and the cluster goes on. If this fails, whoever reaches the peer port can make himself a member.
func TestWrongClusterSecretCannotJoin(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{"another": secretWord + "-is-of-another-cluster", "none": ""} {
		t.Run(name, func(t *testing.T) {
			c := cluster.Start(t, guarded(mode{}))
			stranger := mustStartStranger(t, c, secret)
			const why = "the nodes' cluster.secret differ"
			cluster.Eventually(t, 10*time.Second, "the stranger says why it does not get in", func() error {
				if !strings.Contains(stranger.Log(), why) {
					return fmt.Errorf("so far: %s", stranger.Log())
				}
				return nil
			})

			_, err := c.Followers()[0].Client.Join(t.Context(), stranger.ID, stranger.Address, true)
			requireCode(t, "wrong_node", err)
			require.ErrorContains(t, err, why)
			require.Equal(t, 1, strings.Count(stranger.Log(), why), "it asks five times a second, and warns once")
			peers, err := c.Nodes[0].Client.Peers(t.Context())
			require.NoError(t, err)
			require.Len(t, peers.Members, 3)
			mustAdd(t, c.Nodes[0], "still-writes")
			require.NotContains(t, stranger.Log(), secretWord)
			requireNoSecretInLogs(t, c)
		})
	}
}

func requireNoSecretInLogs(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, n := range c.Nodes {
		require.NotContains(t, n.Log(), secretWord, n.ID)
	}
}

// mustStartStranger starts a node that asks the cluster's members to be let in, with a secret of its own.
func mustStartStranger(t *testing.T, c *cluster.Cluster, secret string) *cluster.Node {
	t.Helper()
	cfg := mode{}.config("VERSIOND_CLUSTER_SECRET=" + secret)
	cfg.Nodes = 1 // of which only the ports are of use: the node that joins is not listed
	others := cluster.New(t, cfg)
	stranger := others.AddNode("node9", "--join", c.Nodes[0].Address)
	stranger.Start()
	return stranger
}

// A node that others could reach refuses to start when it would ask nobody who they are, and says which
// settings mend that.
func TestOpenNodeListensOnLoopbackOnly(t *testing.T) {
	c := cluster.New(t, mode{}.config("VERSIOND_SERVER_BIND=0.0.0.0"))
	c.Nodes[0].Start()
	require.NotZero(t, c.Nodes[0].Wait(5*time.Second))
	for _, setting := range []string{"auth.tokens: ", "cluster.secret: ", "auth.disabled"} {
		require.Contains(t, c.Nodes[0].Log(), setting)
	}
}
