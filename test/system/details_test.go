package system_test

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// detailedRecord has everything that a record may have.
func detailedRecord(id string) model.VersionDB {
	r, percent := record(id), uint8(25)
	r.Details = &model.Details{
		Scheme: "semver", MinVersionNo: "0.9.0", FromVersionNo: "0.8.0", Mandatory: true, RolloutPercent: &percent, Withdrawn: true,
		Attributes: map[string]string{"url": "https://example.org/?a=1&b=<2>", "notes": "first line\nsecond 'line' 版本"},
	}
	return r
}

// What a record says beyond its three fields is on every node, in the stores, in caches, snapshots and backups, and stays
// there when a client changes the record that knows nothing of it. If this fails, an old client wipes a minimum version.
func TestDetailsAreKeptWhereverARecordIs(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config("VERSIOND_RAFT_SNAPSHOTTHRESHOLD=16", "VERSIOND_RAFT_TRAILINGLOGS=8", "VERSIOND_RAFT_SNAPSHOTINTERVAL=1s"))
		follower := c.Followers()[0]
		created, err := follower.Client.Add(t.Context(), detailedRecord("app"))
		require.NoError(t, err)
		require.Equal(t, detailedRecord("app").Details, created.Record.Details)
		requireKept(t, c, "1.1.0")

		away := c.Followers()[1]
		away.Kill()
		mustAddMany(t, c.Leader(), "more", 60) // and snapshots, of which the node that is away is sent one
		updated := requireKept(t, c, "1.2.0")
		away.Start()
		c.WaitReady()
		rows := c.RequireEqualStores()
		require.Contains(t, rows, model.Version(updated.Record))

		file := mustBackup(t, follower)
		_, err = c.Leader().Client.Delete(t.Context(), "app", 0)
		require.NoError(t, err)
		restored := mustRestore(t, c.Leader(), "", file)
		for _, n := range c.Nodes {
			var read model.Result
			cluster.Eventually(t, 10*time.Second, n.ID+" is to have loaded the backup", func() (err error) {
				read, err = n.Client.Get(t.Context(), "app", model.ReadOptions{Level: model.LevelNone, MinIndex: restored.Index})
				return err
			})
			require.Equal(t, updated.Record, read.Record, n.ID)
		}
		for _, n := range c.Nodes {
			n.Signal(os.Kill)
			n.Wait(5 * time.Second)
		}
		c.StartAll()
		c.WaitReady()
		requireKept(t, c, "1.3.0")
		requireCleared(t, c.Nodes[1])
		c.RequireEqualStores()
	})
}

// requireKept changes the record as a client does that knows three fields, on each node.
func requireKept(t *testing.T, c *cluster.Cluster, versionNo string) (result model.Result) {
	t.Helper()
	for _, n := range c.Nodes {
		if !n.Running() {
			continue
		}
		changed := record("app")
		changed.VersionNo = versionNo
		var err error
		result, err = n.Client.Update(t.Context(), changed, 0)
		require.NoError(t, err, n.ID)
		require.Equal(t, detailedRecord("app").Details, result.Record.Details, n.ID)
		read, err := n.Client.Get(t.Context(), "app", model.ReadOptions{})
		require.NoError(t, err, n.ID)
		require.Equal(t, result.Record, read.Record, n.ID)
	}
	return result
}

// requireCleared clears details one after the other, the last of them in a batch.
func requireCleared(t *testing.T, n *cluster.Node) {
	t.Helper()
	sendFor := func(want int, method, path, body, says string) {
		t.Helper()
		status, answer, err := n.Client.Send(t.Context(), false, method, path, map[string]string{"Content-Type": "application/json"}, body)
		require.NoError(t, err)
		require.Equal(t, want, status, string(answer))
		require.Contains(t, string(answer), says)
	}
	send := func(method, path, body, says string) { t.Helper(); sendFor(http.StatusOK, method, path, body, says) }
	sendFor(http.StatusBadRequest, http.MethodPut, "/version/app", `{"versionNo":"two","platform":"linux"}`, "versionNo: is no version of the scheme semver")
	send(http.MethodPut, "/version/app", `{"versionNo":"2.0.0","platform":"linux","attributes":null,"mandatory":false,"withdrawn":null}`,
		`"scheme":"semver","minVersionNo":"0.9.0","fromVersionNo":"0.8.0","rolloutPercent":25,"revision"`)
	send(http.MethodPost, "/version/batch", `{"items":[{"op":"update","id":"app","versionNo":"2","platform":"linux","scheme":null,"minVersionNo":null},
		{"op":"update","id":"app","versionNo":"two","platform":"linux","fromVersionNo":null,"rolloutPercent":null}]}`, `"versionNo":"two","platform":"linux","revision"`)
}
