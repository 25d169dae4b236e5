package cluster

import (
	"fmt"
	"reflect"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

const (
	levelTimeout = 30 * time.Second
	// reloadTimeout is longer than a reload's lock outlives a node that was killed while it had it.
	reloadTimeout = 45 * time.Second
	// readsMax is how many single records RequireEqualStores reads on every node.
	readsMax = 40
)

// RequireEqualStores waits until every running node has applied everything, and then requires that all
// databases hold the same rows as of the same index, that each state row is right, that every node answers
// exactly these rows at every level, and that no value in Redis contradicts them; after a reload Redis holds
// just them. Nobody may write meanwhile. It returns the rows.
func (c *Cluster) RequireEqualStores() []model.Version {
	c.t.Helper()
	c.writeNothing()
	commit := c.waitLevel()
	nodes := c.running()
	first := c.requireState(nodes[0])
	for _, n := range nodes[1:] {
		contents := c.requireState(n)
		require.Equal(c.t, first.State.Cluster, contents.State.Cluster, "%s is of another cluster than %s", n.ID, nodes[0].ID)
		require.Equal(c.t, first.State.Applied, contents.State.Applied, "the state row of %s against that of %s", n.ID, nodes[0].ID)
		require.Equal(c.t, first.State.ChangesFrom, contents.State.ChangesFrom, "where the history of %s begins", n.ID)
		require.Equal(c.t, first.State.Checksum, contents.State.Checksum, "rows and changes of %s", n.ID)
		c.requireSameRows(first.Rows, contents.Rows, "the database of "+n.ID+" against that of "+nodes[0].ID)
	}
	c.requireReads(first.Rows, commit)
	c.requireRedis(first)
	return first.Rows
}

// writeNothing makes a log entry that changes no record and brings all state rows to its index: entries
// without commands move only what a node has in memory.
func (c *Cluster) writeNothing() {
	c.t.Helper()
	nobody := model.VersionDB{ID: "nobody", VersionNo: "1", Platform: "linux"}
	Eventually(c.t, levelTimeout, "an update of nothing", func() error {
		_, err := c.Leader().Client.Update(c.t.Context(), nobody, 0)
		if CodeOf(err) == "not_found" {
			return nil
		}
		return fmt.Errorf("it ended in: %w", err)
	})
}

// waitLevel waits until every running node has applied everything that is in the leader's log.
func (c *Cluster) waitLevel() (commit uint64) {
	c.t.Helper()
	leader := c.Leader()
	for _, n := range c.running() {
		Eventually(c.t, levelTimeout, n.ID+" is to be level with "+leader.ID, func() error {
			lead, err := leader.Client.Status(c.t.Context())
			if err != nil {
				return err
			}
			own, err := n.Client.Status(c.t.Context())
			if err != nil {
				return err
			}
			if commit = lead.Commit; commit != lead.LastIndex || own.Applied != commit || !own.Serving {
				return fmt.Errorf("it has applied %d (serving: %t); the leader's log ends at %d, committed up to %d", own.Applied, own.Serving, lead.LastIndex, commit)
			}
			return nil
		})
	}
	return commit
}

// requireState reads a node's database and holds its state row against what the node says of itself.
func (c *Cluster) requireState(n *Node) Contents {
	c.t.Helper()
	contents, err := n.Database.Read(c.t.Context())
	require.NoError(c.t, err, "the database of %s", n.ID)
	status, err := n.Client.Status(c.t.Context())
	require.NoError(c.t, err)
	require.Equal(c.t, status.Identity, contents.State.Identity, "the state row of %s against its data directory", n.ID)
	require.False(c.t, contents.State.Restoring, n.ID)
	require.True(c.t, contents.State.Proven(), "the state row of %s is not as a node writes it", n.ID)
	require.Empty(c.t, status.Divergence, n.ID)
	// Entries without commands move the node's index and not the row's.
	require.LessOrEqual(c.t, contents.State.Applied.Index, status.Applied, n.ID)
	for _, row := range contents.Rows {
		require.LessOrEqual(c.t, row.Revision, model.Revision(contents.State.Applied.Index, model.CommandsPerEntryMax-1),
			"%s has %q from beyond its applied index", n.ID, row.ID)
	}
	return contents
}

// requireSameRows reports the first rows that differ: thousands would bury them.
func (c *Cluster) requireSameRows(want, got []model.Version, what string) {
	c.t.Helper()
	wanted := byID(want)
	for _, row := range got {
		if w, there := wanted[row.ID]; !there || !reflect.DeepEqual(w, row) {
			c.t.Fatalf("%s (%d rows against %d): has %+v, wanted %+v (there: %t)", what, len(got), len(want), row, w, there)
		}
		delete(wanted, row.ID)
	}
	for _, row := range wanted {
		c.t.Fatalf("%s (%d rows against %d): lacks %+v", what, len(got), len(want), row)
	}
	require.Len(c.t, got, len(want), what)
}

// requireReads lists everything on every node at every level, and reads some records one by one.
func (c *Cluster) requireReads(rows []model.Version, index uint64) {
	c.t.Helper()
	for _, n := range c.running() {
		for _, opts := range Levels(index) {
			listed, err := n.Client.List(c.t.Context(), opts)
			require.NoError(c.t, err, "listing on %s at %q", n.ID, opts.Level)
			got := make([]model.Version, len(listed))
			for i, r := range listed {
				got[i] = model.Version(r)
			}
			require.IsIncreasing(c.t, append([]string{""}, idsOf(got)...), "ids as %s lists them", n.ID)
			c.requireSameRows(rows, got, fmt.Sprintf("the list of %s at %q", n.ID, opts.Level))
		}
		c.requireGets(n, rows, len(rows)/readsMax+1, index)
	}
}

// RequireGets reads every record one by one on every node, at level none once index is applied.
func (c *Cluster) RequireGets(rows []model.Version, index uint64) {
	c.t.Helper()
	for _, n := range c.running() {
		c.requireGets(n, rows, 1, index)
	}
}

// RequireLocal reads every record one by one on every node, as that node alone has it: from its MemoryDB
// where that has it. Every node has to be level.
func (c *Cluster) RequireLocal(rows []model.Version) {
	c.t.Helper()
	for _, n := range c.running() {
		for _, row := range rows {
			result, err := n.Client.Get(c.t.Context(), row.ID, model.ReadOptions{Level: model.LevelNone})
			require.NoError(c.t, err, "reading %q on %s", row.ID, n.ID)
			require.Equal(c.t, recordOf(row), result.Record, "as %s has it", n.ID)
		}
	}
}

func (c *Cluster) requireGets(n *Node, rows []model.Version, step int, index uint64) {
	c.t.Helper()
	for i := 0; i < len(rows); i += step {
		opts := Levels(index)[i/step%3]
		result, err := n.Client.Get(c.t.Context(), rows[i].ID, opts)
		require.NoError(c.t, err, "reading %q on %s at %q", rows[i].ID, n.ID, opts.Level)
		require.Equal(c.t, recordOf(rows[i]), result.Record, "as read on %s at %q", n.ID, opts.Level)
	}
}

// Levels returns the ways to read what index covers.
func Levels(index uint64) []model.ReadOptions {
	return []model.ReadOptions{
		{Level: model.LevelNone, MinIndex: index},
		{Level: model.LevelLeader},
		{Level: model.LevelLinearizable},
	}
}

func (c *Cluster) requireRedis(contents Contents) {
	c.t.Helper()
	if c.servers() == nil {
		return
	}
	rows, cluster := byID(contents.Rows), contents.State.Cluster
	Eventually(c.t, reloadTimeout, "Redis is to be reloaded", func() error {
		cached, err := c.Redis(c.t.Context())
		if err != nil {
			return err
		}
		for id, v := range cached {
			require.NoError(c.t, compareCached(id, v, rows, cluster))
		}
		return compareReloaded(cached, rows, cluster)
	})
}

// AwaitReload waits until Redis holds what the databases do. After a restore it may hold values that are newer, by their
// revisions, than what was restored, for as long as a reload takes: RequireEqualStores would take them for writes
// that a database has lost. Nothing may be written meanwhile.
func (c *Cluster) AwaitReload() {
	c.t.Helper()
	if c.servers() == nil {
		return
	}
	Eventually(c.t, reloadTimeout, "Redis is to be reloaded after a restore", func() error {
		contents, err := c.running()[0].Database.Read(c.t.Context())
		if err != nil {
			return err
		}
		cached, err := c.Redis(c.t.Context())
		if err != nil {
			return err
		}
		return compareReloaded(cached, byID(contents.Rows), contents.State.Cluster)
	})
}

func byID(rows []model.Version) map[string]model.Version {
	index := make(map[string]model.Version, len(rows))
	for _, row := range rows {
		index[row.ID] = row
	}
	return index
}

func idsOf(rows []model.Version) []string {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids
}
