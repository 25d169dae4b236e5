//go:build long

package system_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/failpoint"
	"versiond/model"
	"versiond/test/harness/cluster"
)

// leaderFault is what happens to the leader that has stopped in the middle of a restore, until the others have done
// something without it.
type leaderFault struct {
	name      string
	failpoint string // what follows the name of the step
	strike    func(t *testing.T, leader *cluster.Node, others []*cluster.Node, meanwhile func())
}

var leaderFaults = []leaderFault{
	{"killed", "", func(t *testing.T, leader *cluster.Node, _ []*cluster.Node, meanwhile func()) {
		require.Equal(t, -1, leader.Wait(20*time.Second), "it was not killed")
		meanwhile()
		leader.Start()
	}},
	{"frozen", ":1:freeze", func(_ *testing.T, leader *cluster.Node, _ []*cluster.Node, meanwhile func()) {
		leader.AwaitPaused()
		meanwhile()
		leader.Resume()
	}},
	// Nobody hears it while it goes on alone for a moment, and then it dies.
	{"cut off", ":1:freeze", func(_ *testing.T, leader *cluster.Node, others []*cluster.Node, meanwhile func()) {
		leader.AwaitPaused()
		for _, n := range others {
			n.Pause()
		}
		leader.Resume()
		time.Sleep(150 * time.Millisecond)
		leader.Kill()
		for _, n := range others {
			n.Resume()
		}
		meanwhile()
		leader.Start()
	}},
}

// A leader that dies in the middle of a restore must leave a cluster that has all of the backup or
// nothing of it. If this fails, it comes back with records that no other node has.
func TestLeaderKilledWhileRestoring(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Leader(), "kept", 200)
		backedUp := c.RequireEqualStores()
		file := mustBackup(t, c.Leader())
		done, undone := 0, 0
		for i := range 8 {
			mustAdd(t, c.Leader(), fmt.Sprintf("later-%d", i))
			before := c.RequireEqualStores()
			leader, asked := c.Leader(), c.Followers()[0]
			answered := askToRestore(t, asked, file)
			time.Sleep(time.Duration(4+3*i) * time.Millisecond)
			leader.Kill()
			<-answered // any answer will do
			c.StartAll()
			c.WaitReady()
			c.AwaitReload()
			rows := c.RequireEqualStores()
			switch len(rows) {
			case len(before):
				require.Equal(t, before, rows)
				undone++
			default:
				require.Equal(t, backedUp, rows)
				done++
			}
		}
		t.Logf("%d restores were done, %d were not", done, undone)
	})
}

// A leader that nobody hears any more once it has begun a restore, and that dies or comes back when the
// others have gone on without it, must go on with what they have. Whether they got the restore before
// differs from round to round; the nodes must not. If this fails, one node has records for good that
// the others never had, or takes no entry any more.
func TestLeaderCutOffWhileRestoring(t *testing.T) {
	c := cluster.Start(t, mode{}.config())
	mustAddMany(t, c.Leader(), "kept", 50)
	file := mustBackup(t, c.Leader())
	for i := range 6 {
		mustAdd(t, c.Leader(), fmt.Sprintf("later-%d", i))
		before := c.RequireEqualStores()
		leader, others := c.Leader(), c.Followers()
		answered := askToRestore(t, leader, file)
		time.Sleep(time.Duration(1200+300*i) * time.Microsecond)
		for _, n := range others {
			n.Pause()
		}
		time.Sleep(150 * time.Millisecond) // the leader writes its snapshot, if it is to
		cutOff(t, leader, i%2 == 0, func() {
			for _, n := range others {
				n.Resume()
			}
			addWithin(t, others[0], fmt.Sprintf("meanwhile-%d", i), 10*time.Second)
		})
		<-answered // any answer will do
		c.WaitReady()
		rows := c.RequireEqualStores()
		// All of the backup or nothing of it, and what was written meanwhile; or the backup alone, when the
		// old leader came back in time to pass the request on.
		require.Contains(t, []int{len(before) + 1, 51, 50}, len(rows))
	}
}

// cutOff kills or freezes a node, and brings it back when the others have done something without it.
func cutOff(t *testing.T, n *cluster.Node, kill bool, meanwhile func()) {
	t.Helper()
	if kill {
		n.Kill()
	} else {
		n.Pause()
	}
	meanwhile()
	if kill {
		n.Start()
	} else {
		n.Resume()
	}
}

// A leader that is killed, frozen or cut off at any step of a restore leaves a cluster that has all of the backup or
// nothing of it, and what the client is told is true. If this fails, nodes differ, or somebody believes in a restore
// that never was.
func TestLeaderFailsAtEveryStepOfARestore(t *testing.T) {
	program, err := cluster.BuildWithFailpoints(programs())
	require.NoError(t, err)
	cfg := mode{}.config()
	cfg.Program = program
	c := cluster.Start(t, cfg)
	mustAddMany(t, c.Leader(), "kept", 60)
	backedUp := c.RequireEqualStores()
	file := mustBackup(t, c.Leader())
	mustAdd(t, c.Leader(), "later")
	for i, step := range []string{failpoint.RestoreBegun, failpoint.RestoreChunked, failpoint.RestoreSent, failpoint.RestoreCleared, failpoint.RestoreFinished} {
		for j, fault := range leaderFaults {
			t.Logf("the leader is %s at %s", fault.name, step)
			before := c.RequireEqualStores()
			leader := c.Nodes[(i+j)%3]
			mustLeadWith(t, c, leader, "FAILPOINT="+step+fault.failpoint)
			others := slices.DeleteFunc(slices.Clone(c.Nodes), func(n *cluster.Node) bool { return n == leader })
			status := askToRestore(t, others[0], file)
			fault.strike(t, leader, others, func() { addWithin(t, others[1], "meanwhile", 15*time.Second) })
			answer := <-status
			c.WaitReady()
			rows := slices.DeleteFunc(c.RequireEqualStores(), func(v model.Version) bool { return strings.HasPrefix(v.ID, "meanwhile") })
			switch answer {
			case http.StatusOK:
				require.Equal(t, backedUp, rows, "it was said to be restored")
			case http.StatusServiceUnavailable, http.StatusTooManyRequests:
				require.Equal(t, before, rows, "it was said that nothing was changed")
			default:
				require.Contains(t, [][]model.Version{before, backedUp}, rows, "answer %d", answer)
			}
			restorePast(t, c)
		}
	}
}

// askToRestore asks a node for a restore, and yields the status of the answer; 0 is none.
func askToRestore(t *testing.T, n *cluster.Node, file string) <-chan int {
	t.Helper()
	status := make(chan int, 1)
	go func() {
		header := map[string]string{"Content-Type": "application/octet-stream"}
		code, _, _ := n.Client.Send(t.Context(), false, http.MethodPost, "/restore?timeout=3s", header, file)
		status <- code
	}()
	return status
}

// restorePast brings what a round of the test begins with: a record that no backup has.
func restorePast(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	_, err := c.Leader().Client.Delete(t.Context(), "meanwhile", 0)
	if cluster.CodeOf(err) != "not_found" {
		require.NoError(t, err)
	}
	_, err = c.Leader().Client.Add(t.Context(), record("later"))
	if cluster.CodeOf(err) != "already_exists" {
		require.NoError(t, err)
	}
}

// mustLeadWith starts a node anew with a variable, and has it lead.
func mustLeadWith(t *testing.T, c *cluster.Cluster, n *cluster.Node, variable string) {
	t.Helper()
	n.Stop()
	n.StartWith(variable)
	c.WaitReady()
	if c.Leader() != n {
		_, err := c.Leader().Client.Transfer(t.Context(), n.ID)
		require.NoError(t, err)
	}
	cluster.Eventually(t, 10*time.Second, n.ID+" to lead", func() error {
		if leader := c.Leader(); leader != n {
			return &cluster.Problem{Code: leader.ID + " leads"}
		}
		return nil
	})
}
