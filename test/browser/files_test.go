package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// downloads has the browser put files into a folder.
func (w *window) downloads() (folder string) {
	w.t.Helper()
	folder = w.t.TempDir()
	_, err := chromedp.CallBrowser(w.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder, BrowserContextID: chromedp.FromContext(w.ctx).BrowserContextID,
	})
	require.NoError(w.t, err)
	return folder
}

// mustArrive waits for a file of a pattern in a folder.
func mustArrive(t *testing.T, folder, pattern string) (path string) {
	t.Helper()
	cluster.Eventually(t, patience, "a download", func() error {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("there is no %s", pattern)
		}
		if err == nil {
			path = found[0]
		}
		return err
	})
	return path
}

// choose puts a file into a field for one.
func (w *window) choose(name, path string) {
	w.t.Helper()
	w.run(chromedp.SetUploadFiles(key(name), []string{path}))
}

// chooseTwo puts a file into a field, and another before what is read of the first by a method of Blob's was looked at.
func (w *window) chooseTwo(name, slow, path, method string) {
	w.t.Helper()
	value[bool](w, fmt.Sprintf(`(() => {
		const real = Blob.prototype[%[1]q];
		const held = new Promise((resolve) => { window.goOn = () => resolve() ?? true; });
		Blob.prototype[%[1]q] = async function () {
			Blob.prototype[%[1]q] = real;
			const content = await real.call(this);
			window.slow = "read";
			await held;
			setTimeout(() => { window.slow = "done"; }, 200);
			return content;
		};
		return true;
	})()`, method))
	w.choose(name, slow)
	w.until(`window.slow === "read"`, "the first file is read")
	w.choose(name, path)
}

// mustBeOther returns a file that is no backup. Its path is whole: of a page that holds a file whose path is not the browser
// ends the process.
func mustBeOther(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.txt")
	require.NoError(t, os.WriteFile(path, []byte("of no interest\n"), 0o600))
	return path
}

// lookAtFirst lets what was read of the first file of chooseTwo be looked at.
func (w *window) lookAtFirst() {
	w.t.Helper()
	value[bool](w, `window.goOn()`)
	w.until(`window.slow === "done"`, "the first file was looked at")
}

// importAndExport writes what is there into a file, changes the file, and reads it back: what would be done is said before
// it is done, and what is refused is listed with its line.
func importAndExport(t *testing.T, c *cluster.Cluster) {
	for i := range 3 {
		mustAdd(t, c, fmt.Sprintf("filed,%d", i))
	}
	w := mustEnter(t, c.Nodes[1], writeToken, look{})
	w.view("records")
	w.enter("search-prefix", "filed")
	w.see("3 records")
	folder := w.downloads()
	w.click("export")
	w.click("export-csv")
	w.see("Wrote 3 records.")
	w.click("export-jsonl")
	exported, err := os.ReadFile(mustArrive(t, folder, "versiond.csv"))
	require.NoError(t, err)
	require.Equal(t, 4, strings.Count(string(exported), "\n"))
	lines, err := os.ReadFile(mustArrive(t, folder, "versiond.jsonl"))
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(lines), `"platform":"linux"}`))
	w.click("close")

	changed := filepath.Join(folder, "changed.csv")
	content := strings.Replace(string(exported), `"filed,1",1.0.0`, `"filed,1",2.0.0`, 1) + "filed-new,1.0,linux,,,,,50,,\nfiled-odd,x,linux,semver,,,,,,\nfiled-short,1\n"
	require.NoError(t, os.WriteFile(changed, []byte(content), 0o600))
	w.click("import")
	w.chooseTwo("import-file", filepath.Join(folder, "versiond.csv"), changed, "text")
	w.see("2 to create", "1 to change")
	w.lookAtFirst()
	w.see("2 to create", "1 to change", "2 the same already", "1 not readable", "Nothing is written yet.", "has 2 columns")
	_, err = c.Nodes[0].Client.Get(t.Context(), "filed-new", model.ReadOptions{Level: model.LevelLinearizable})
	require.Equal(t, "not_found", cluster.CodeOf(err), "it was only said")
	w.click("import-go")
	w.see("2 written", "2 refused", "filed-odd")
	w.click("close")
	w.see("4 records", "2.0.0", "filed-new")
	require.Equal(t, "2.0.0", mustGet(t, c, "filed,1").VersionNo)
	require.Equal(t, "50", text(mustGet(t, c, "filed-new").RolloutPercent))
}

// backup saves everything, loses something, and gets it back; a file that is none, or damaged, is not even sent.
func backup(t *testing.T, c *cluster.Cluster) {
	w := mustEnter(t, c.Nodes[2], adminToken, look{})
	w.view("backup")
	folder := w.downloads()
	w.click("backup-go")
	w.see("as of log index")
	saved := mustArrive(t, folder, "versiond-*.backup")
	mustAdd(t, c, "after-the-backup")

	content, err := os.ReadFile(saved)
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	damaged := filepath.Join(folder, "damaged.backup")
	require.NoError(t, os.WriteFile(damaged, content, 0o600))
	w.choose("restore-file", damaged)
	w.see("This backup is damaged or was cut off")
	w.choose("restore-file", mustBeOther(t))
	w.see("This is no backup of versiond.")

	w.choose("restore-file", saved)
	w.see("right: it is whole")
	w.click("restore-go")
	w.see("records of this cluster are taken away", "Lost is everything that was written after")
	require.True(t, value[bool](w, `document.querySelector("[data-key=go]").disabled`), "nothing was typed in yet")
	w.enter("word", "restore")
	w.click("go")
	w.see("Restored: there are")
	_, err = c.Nodes[0].Client.Get(t.Context(), "after-the-backup", model.ReadOptions{Level: model.LevelLinearizable})
	require.Equal(t, "not_found", cluster.CodeOf(err))
}
