package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// members moves the lead, lets a replica join, gives it a vote and removes it. What is risked is said before, and the id
// of a node that is to go has to be typed in.
func members(t *testing.T, c *cluster.Cluster) {
	w := mustEnter(t, c.Nodes[0], adminToken, look{})
	w.see("Writes", "a second", "up to ")
	next := c.Followers()[0]
	w.click("lead-" + next.ID)
	w.see("Nothing is lost.")
	w.click("go")
	w.see(next.ID + " leads now.")
	w.see("Leader changes")
	require.Equal(t, next.ID, c.Leader().ID)

	joining := c.AddNode("node4")
	joining.Start()
	cluster.Eventually(t, patience, "the node that is to join answers", func() error {
		_, err := joining.Client.Status(t.Context())
		return err
	})
	w.click("join")
	w.enter("join-id", "node5")
	w.enter("join-address", joining.Address)
	w.click("go")
	w.see("Another node answers at that address.")
	w.enter("join-id", "node4")
	w.click("join-replica")
	w.click("go")
	w.see("node4 is a member.", "replica, no vote")
	c.WaitSuffrage("node4", model.SuffrageNonvoter)

	w.click("vote-node4")
	w.click("go")
	w.see("node4 gets a vote once it has caught up.", "4 / 4")
	w.click("remove-node4")
	w.see("3 voters are left then, of which 3 answer. 1 of them may fail.")
	require.True(t, value[bool](w, `document.querySelector("[data-key=go]").disabled`), "the id was not typed in")
	w.enter("word", "node4")
	w.click("go")
	w.see("node4 is no member any more.", "3 / 3")
	c.Retire(joining)

	reader := mustEnter(t, c.Nodes[0], readToken, look{})
	reader.see("Work of this node")
	require.Zero(t, value[int](reader, `document.querySelectorAll("[data-key=join], [data-key^=remove-], [data-key^=lead-]").length`))
}
