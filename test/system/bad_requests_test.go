package system_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/load/badrequests"
)

// Bad requests are refused by a real cluster as by the handlers alone, on a leader and on a follower,
// and change nothing: not a record, not a member, not an entry of the log. If this fails, somebody can
// break a store or a cluster with curl.
func TestBadRequests(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAdd(t, c.Nodes[0], badrequests.KnownID)
		rows := c.RequireEqualStores()
		for _, n := range []*cluster.Node{c.Leader(), c.Followers()[0]} {
			for _, bad := range badrequests.Public() {
				requireRefused(t, n, bad, false)
			}
			for _, bad := range badrequests.Peer() {
				requireRefused(t, n, bad, true)
			}
		}
		require.Equal(t, rows, c.RequireEqualStores())
		peers, err := c.Nodes[0].Client.Peers(t.Context())
		require.NoError(t, err)
		require.Len(t, peers.Members, len(c.Nodes))
	})
}

func requireRefused(t *testing.T, n *cluster.Node, bad badrequests.Case, toPeerPort bool) {
	t.Helper()
	status, answer, err := n.Client.Send(t.Context(), toPeerPort, bad.Method, bad.Path, bad.Header, bad.Body)
	require.NoError(t, err, bad.Name)
	require.Equal(t, bad.Status, status, "%s: %s", bad.Name, answer)
	var problem struct {
		Code   string             `json:"code"`
		Errors []model.FieldError `json:"errors"`
	}
	require.NoError(t, json.Unmarshal(answer, &problem), "%s: %s", bad.Name, answer)
	require.Equal(t, bad.Code, problem.Code, bad.Name)
	fields := []string{}
	for _, each := range problem.Errors {
		fields = append(fields, each.Field)
	}
	require.ElementsMatch(t, bad.Fields, fields, bad.Name)
}
