package browser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// versions looks at the newest of everything, withdraws it, and asks what a client would be told before and after.
func versions(t *testing.T, c *cluster.Cluster) {
	fillWithApps(t, c.Nodes[0])
	w := mustEnter(t, c.Nodes[1], writeToken, look{})
	w.view("versions")
	w.enter("versions-prefix", "sensor-fw")
	w.see("2.4.1", "of 3", "2.2.0", "nrf52")
	w.gone("atlas")

	w.click("cell-sensor-fw-esp32")
	w.see("newest", "sensor-fw@2.3.9")
	w.click("simulate")
	w.enter("sim-current", "2.2.0\n")
	w.see("the client must update", "2.2.0 → 2.3.9", "A mandatory version comes after")
	w.enter("sim-current", "2.5\n")
	w.see("no update", "The client is ahead of 2.3.9")
	w.enter("sim-current", "2.4.0\n")
	w.see("the client must go back", "was withdrawn")

	w.click("cell-sensor-fw-esp32")
	w.click("steer-sensor-fw@2.4.1")
	w.click("steer-withdrawn")
	w.enter("steer-minimum", "2.0.0")
	w.run(setRange("steer-rollout", 40))
	w.see("for 40 of 100 clients")
	w.click("steer-save")
	w.see("Saved sensor-fw@2.4.1.")
	w.until(`document.querySelector("[data-key='cell-sensor-fw-esp32']")?.innerText.includes("2.3.9")`, "the newest is another")
	steered := mustGet(t, c, "sensor-fw@2.4.1")
	require.True(t, steered.Withdrawn)
	require.Equal(t, "2.0.0 2.3.0 40", steered.MinVersionNo+" "+steered.FromVersionNo+" "+text(steered.RolloutPercent))

	for _, id := range []string{"comma@1,0", "comma@1,1", "comma,two", "comma,two-linux"} {
		_, err := c.Nodes[0].Client.Add(t.Context(), model.VersionDB{ID: id, VersionNo: strings.TrimPrefix(id, "comma@"), Platform: "linux"})
		require.NoError(t, err)
	}
	w.enter("versions-prefix", "comma")
	w.see("1,1", "of 2", "An ID with a comma cannot be asked for.")
	require.NotContains(t, value[string](w, `document.querySelector("table.matrix").innerText`), "withdrawn")

	w.view("records")
	w.enter("search-prefix", "sensor-fw@2.4.1")
	w.click("open-sensor-fw@2.4.1")
	w.click("history")
	w.see("changed", "created", "ci", "ops", "10 %", "40 %")
}
