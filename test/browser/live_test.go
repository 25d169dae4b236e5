package browser_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// live watches what is written on other nodes. Neither a pause nor a node that is started anew in between loses anything
// or shows it twice.
func live(t *testing.T, c *cluster.Cluster) {
	serving := c.Followers()[0]
	w := mustEnter(t, serving, readToken, look{})
	w.view("live")
	w.enter("live-prefix", "watched-\n")
	w.see(serving.ID + " tells")
	mustAdd(t, c, "watched-1")
	mustAdd(t, c, "of-no-interest")
	w.see("watched-1", "1 change")
	w.click("pause")
	mustAdd(t, c, "watched-2")
	_, err := c.Leader().Client.Delete(t.Context(), "watched-1", 0)
	require.NoError(t, err)
	w.see("Paused.")
	w.click("pause")
	w.see("gone", "3 changes")

	serving.Kill()
	w.see("The connection is lost.")
	added, err := c.Leader().Client.Add(t.Context(), record("watched-3"))
	require.NoError(t, err)
	serving.Start()
	serving.WaitReady()
	w.see("4 changes", serving.ID+" tells")
	require.Equal(t, "watched-3 watched-1 watched-2 watched-1", value[string](w, `[...document.querySelectorAll("tbody tr")].map((r) => r.dataset.row).join(" ")`))
	w.see(fmt.Sprintf("%d,", added.Record.Revision/1000))
}
