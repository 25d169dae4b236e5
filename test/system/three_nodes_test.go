package system_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// What is written on one node must be read on every other, at every level. If this fails, the nodes
// are three registries instead of one.
func TestWriteOnOneReadOnOthers(t *testing.T) {
	onAll(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		for _, writer := range c.Nodes {
			written := mustAdd(t, writer, "written-on-"+writer.ID)
			for _, reader := range c.Nodes {
				for _, opts := range cluster.Levels(written.Index) {
					read, err := reader.Client.Get(t.Context(), written.Record.ID, opts)
					require.NoError(t, err, "%s at %q", reader.ID, opts.Level)
					require.Equal(t, written.Record, read.Record, "%s at %q", reader.ID, opts.Level)
					require.GreaterOrEqual(t, read.Index, written.Index, "the index that %s labels its answer with", reader.ID)
				}
			}
		}
		requireRowCount(t, c.RequireEqualStores(), 3)
	})
}

// One of three nodes may die. If this fails, the cluster does not survive what it is made for.
func TestOneNodeKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		mustAddMany(t, c.Nodes[0], "before", 20)

		follower := c.Followers()[0]
		follower.Kill()
		for _, n := range []*cluster.Node{c.Leader(), c.Followers()[0]} {
			mustAddMany(t, n, "without-a-follower-"+n.ID, 10)
		}
		follower.Start()
		c.WaitReady()

		leader := c.Leader()
		leader.Kill()
		for _, n := range c.Nodes {
			if n.Running() {
				addWithin(t, n, "without-the-leader-"+n.ID, 5*time.Second)
			}
		}
		leader.Start()
		c.WaitReady()
		requireRowCount(t, c.RequireEqualStores(), 42)
	})
}
