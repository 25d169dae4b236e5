package system_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// A client that keeps the last index that it saw, and asks any node from there on, must never be told an older version,
// while answers come from memory and records change all the time. If this fails, an app offers a downgrade.
func TestLatestNeverGoesBackForAClientThatKeepsItsIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		first, err := c.Leader().Client.Add(t.Context(), model.VersionDB{ID: "app", VersionNo: "1.0.0", Platform: "ios"})
		require.NoError(t, err)
		const releases = 200
		var group errgroup.Group
		group.Go(func() error {
			for i := range releases {
				changed := model.VersionDB{ID: "app", VersionNo: fmt.Sprintf("1.%d.0", i+1), Platform: "ios"}
				if _, err := c.Nodes[i%3].Client.Update(t.Context(), changed, 0); err != nil {
					return err
				}
				if _, err := c.Nodes[i%3].Client.Add(t.Context(), model.VersionDB{ID: fmt.Sprint("other-", i), VersionNo: "1", Platform: "mac"}); err != nil {
					return err
				}
			}
			return nil
		})
		for client := range 4 {
			query := url.Values{"platform": {"ios"}}
			if client%2 == 0 {
				query = url.Values{"id": {"app,app-of-nobody"}}
			}
			group.Go(func() error { return followLatest(t, c, client, query, first.Index, releases) })
		}
		require.NoError(t, group.Wait())
	})
}

// followLatest asks one node after the other, until it is told the last release.
func followLatest(t *testing.T, c *cluster.Cluster, client int, query url.Values, index uint64, releases int) error {
	newest := 0
	for i := client; newest < releases; i++ {
		result, err := c.Nodes[i%3].Client.Latest(t.Context(), query, model.ReadOptions{Level: model.LevelNone, MinIndex: index})
		if err != nil {
			return err
		}
		minor := 0
		if _, err := fmt.Sscanf(result.Record.VersionNo, "1.%d.0", &minor); err != nil {
			return err
		}
		assert.GreaterOrEqual(t, minor, newest, "node %d went back", i%3+1)
		newest, index = max(newest, minor), result.Index
	}
	return nil
}
