package service

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/units"
)

// A page and the reads after it must not contradict each other: what one has shown, the other shows.
func TestPagesAndSingleReadsAreMonotonic(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustAdd(t, "a", "1")
	writing, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() {
		for writing.Err() == nil {
			_, _ = n.UpdateVersion(writing, record("a", "2"), model.WriteOptions{}) // only there to be in the way
		}
	})
	opts, last := model.ReadOptions{Level: model.LevelNone}, uint64(0)
	for range 300 {
		page, _, err := n.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 1}, opts)
		require.NoError(t, err)
		require.GreaterOrEqual(t, page.Items[0].Revision, last, "a page behind a single read")
		single, err := n.GetVersionByID(within(t, 5*time.Second), "a", opts)
		require.NoError(t, err)
		require.GreaterOrEqual(t, single.Record.Revision, page.Items[0].Revision, "a single read behind a page")
		last = single.Record.Revision
	}
}

// Pages must add up to the listing: no record twice, none left out, none of another platform.
func TestListingInPages(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	var want []string
	var commands []model.Command
	for i := range 25 {
		c := add(fmt.Sprintf("id-%02d", i), "1")
		if i%5 == 0 {
			c.Platform = "darwin"
		} else {
			want = append(want, c.ID)
		}
		commands = append(commands, c)
	}
	_, _, err := n.ApplyCommands(within(t, 10*time.Second), units.Singles(commands...))
	require.NoError(t, err)
	for _, limit := range []int{1, 7, 20, 100} {
		var got []string
		for list, more := (model.ListOptions{Platform: "linux", Limit: limit}), true; more; more = list.After != "" {
			page, index, err := n.ListVersions(within(t, 5*time.Second), list, model.ReadOptions{Level: model.LevelLinearizable})
			require.NoError(t, err)
			require.NotZero(t, index)
			require.LessOrEqual(t, len(page.Items), limit)
			for _, item := range page.Items {
				got = append(got, item.ID)
			}
			list.After = page.Next
		}
		require.Equal(t, want, got, "pages of %d", limit)
	}
	page, _, err := n.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 5, After: "z"}, model.ReadOptions{Level: model.LevelNone})
	require.NoError(t, err)
	require.NotNil(t, page.Items, "an empty page is [] in JSON, not null")
	require.Empty(t, page.Items)
}
