package system_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

func record(id string) model.VersionDB {
	return model.VersionDB{ID: id, VersionNo: "1.0.0", Platform: "linux"}
}

// mustAdd creates a record and returns it with the index that reflects it.
func mustAdd(t *testing.T, n *cluster.Node, id string) model.Result {
	t.Helper()
	result, err := n.Client.Add(t.Context(), record(id))
	require.NoError(t, err, "creating %q on %s", id, n.ID)
	return result
}

// mustAddMany creates records on one node, named by the prefix and a number.
func mustAddMany(t *testing.T, n *cluster.Node, prefix string, count int) {
	t.Helper()
	for i := range count {
		mustAdd(t, n, fmt.Sprintf("%s-%04d", prefix, i))
	}
}

// addWithin creates a record, trying again while the cluster takes no writes, until timeout.
func addWithin(t *testing.T, n *cluster.Node, id string, timeout time.Duration) {
	t.Helper()
	cluster.Eventually(t, timeout, "a write of "+id+" on "+n.ID, func() error {
		_, err := n.Client.Add(t.Context(), record(id))
		return err
	})
}

// requireCalm breaks when the log of a node to which nothing bad has happened has a line that alarms, or when
// it does not end in saying that the node has stopped.
func requireCalm(t *testing.T, log string) {
	t.Helper()
	require.NotRegexp(t, `(?m)^.*level=(WARN|ERROR).*$`, log)
	lines := strings.Split(strings.TrimSpace(log), "\n")
	require.Contains(t, lines[len(lines)-1], "msg=stopped")
}

func requireCode(t *testing.T, code string, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, cluster.CodeOf(err), "%v", err)
}

// requireRowCount counts the rows, without printing them all.
func requireRowCount(t *testing.T, rows []model.Version, count int) {
	t.Helper()
	require.Len(t, rows, count)
}

func mustRead(t *testing.T, n *cluster.Node) cluster.Contents {
	t.Helper()
	contents, err := n.Database.Read(t.Context())
	require.NoError(t, err, n.ID)
	return contents
}

// lastLine is where a program that gives up says why.
func lastLine(n *cluster.Node) string {
	lines := strings.Split(strings.TrimSpace(n.Log()), "\n")
	return lines[len(lines)-1]
}
