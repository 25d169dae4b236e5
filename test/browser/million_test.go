//go:build million

package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"versiond/model"
	"versiond/test/harness/cluster"
	"versiond/test/load/synthetic"
)

const (
	many       = 1_000_000
	perBatch   = 1000
	batchers   = 4
	turns      = 20
	atOnceMost = time.Second // what somebody waits for who turns a page
)

// The console with a million records: make scale. People who turn pages, search and look do not wait, and files of all
// records come and go.
func TestAMillionRecords(t *testing.T) {
	c := cluster.Start(t, cluster.Config{Program: program})
	importMany(t, c)
	w := mustOpen(t, c.Nodes[1], look{})
	w.patience = 5 * time.Minute
	shown := func(first string) string {
		return fmt.Sprintf(`!document.querySelector("[aria-busy]") && document.querySelector("main [data-row]")?.dataset.row === %q`, first)
	}

	w.atOnce("the first page", func() { w.view("records") }, shown(synthetic.ID(0)))
	took := make([]time.Duration, turns)
	for i := range took {
		took[i] = w.timed(func() { w.click("next") }, shown(synthetic.ID((i+1)*50)))
	}
	slices.Sort(took)
	t.Logf("the next page: %s in the middle, %s at most, of %d", took[turns/2], took[turns-1], turns)
	require.Less(t, took[turns-1], atOnceMost)
	w.atOnce("the page before", func() { w.click("previous") }, shown(synthetic.ID((turns-1)*50)))
	w.atOnce("a prefix near the end", func() { w.enter("search-prefix", "com.example.app-09999\n") }, shown(synthetic.ID(999_900)))
	w.atOnce("a platform besides", func() { w.enter("search-platform", "android\n") }, shown(synthetic.ID(999_904)))
	w.atOnce("a platform alone", func() { w.enter("search-prefix", "\n") }, shown(synthetic.ID(4)))
	w.atOnce("a record", func() { w.click("open-" + synthetic.ID(4)) }, `document.querySelector("dialog[open] [data-key=versionNo]")?.value !== ""`)
	w.click("cancel")
	w.atOnce("the matrix of a prefix", func() { w.view("versions"); w.enter("versions-prefix", "com.example.app-09999\n") },
		`!document.querySelector("[aria-busy]") && document.querySelectorAll(".matrix tbody tr").length === 100`)
	files(t, w)
}

// files takes all records out, in each way there is.
func files(t *testing.T, w *window) {
	t.Helper()
	folder := w.downloads()
	w.view("records")
	w.click("export")
	exported := w.timed(func() { w.click("export-csv") }, `document.querySelector("dialog").innerText.includes("Wrote 1,000,000 records.")`)
	csv, err := os.Stat(mustArrive(t, folder, "versiond.csv"))
	require.NoError(t, err)
	t.Logf("a file of all records: %s, %d MiB", exported, csv.Size()>>20)
	w.click("cancel")
	w.view("backup")
	saved := w.timed(func() { w.click("backup-go") }, `document.body.innerText.includes("as of log index")`)
	backup := mustArrive(t, folder, "versiond-*.backup")
	checked := w.timed(func() { w.choose("restore-file", backup) }, `document.body.innerText.includes("right: it is whole")`)
	t.Logf("a backup: %s, and the look at it before it is restored: %s", saved, checked)
}

// timed returns how long it takes from what somebody does until a script's expression is true.
func (w *window) timed(act func(), expression string) time.Duration {
	w.t.Helper()
	began := time.Now()
	act()
	w.until(expression, expression)
	return time.Since(began)
}

func (w *window) atOnce(what string, act func(), expression string) {
	w.t.Helper()
	took := w.timed(act, expression)
	w.t.Logf("%s: %s", what, took)
	require.Less(w.t, took, atOnceMost, what)
}

func importMany(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	began := time.Now()
	clients, ctx := errgroup.WithContext(t.Context())
	clients.SetLimit(batchers)
	for first := 0; first < many; first += perBatch {
		clients.Go(func() error { return importBatch(ctx, c.Nodes[first/perBatch%len(c.Nodes)], first) })
	}
	require.NoError(t, clients.Wait())
	t.Logf("%d records written by batches: %s", many, time.Since(began))
	last, err := c.Nodes[0].Client.Get(t.Context(), synthetic.ID(many-1), model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err)
	for _, n := range c.Nodes { // its store may be seconds behind
		cluster.Eventually(t, time.Minute, n.ID+" catches up", func() error {
			_, err := n.Client.Get(t.Context(), synthetic.ID(0), model.ReadOptions{Level: model.LevelNone, MinIndex: last.Index})
			return err
		})
	}
	t.Logf("stored everywhere: %s", time.Since(began))
}

func importBatch(ctx context.Context, n *cluster.Node, first int) error {
	var batch struct {
		Items []map[string]string `json:"items"`
	}
	for i := first; i < first+perBatch; i++ {
		record := synthetic.Record(i)
		batch.Items = append(batch.Items, map[string]string{"op": "create", "id": record.ID, "versionNo": record.VersionNo, "platform": record.Platform})
	}
	content, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	status, answer, err := n.Client.Send(ctx, false, http.MethodPost, "/version/batch?timeout=60s", map[string]string{"Content-Type": "application/json"}, string(content))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d: %s", status, answer)
	}
	return err
}
