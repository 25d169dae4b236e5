//go:build pictures

package browser_test

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"versiond/test/cluster"
)

// Pictures for the pages, of each view: make pictures.
func TestPictures(t *testing.T) {
	c := cluster.Start(t, cluster.Config{Program: program})
	fillWithApps(t, c.Nodes[0])
	for name, l := range map[string]look{"": {}, "-dark": {dark: true}, "-zh": {language: "zh-CN"}, "-narrow": {width: 360, height: 740}} {
		w := mustOpen(t, c.Nodes[0], l)
		for _, view := range allViews {
			w.view(view)
			w.until(`!document.querySelector(".skeleton, [aria-busy]")`, "the view is there")
			w.save("console-" + view + name)
		}
	}
}

// save keeps what is seen as docs/pictures/<name>.png.
func (w *window) save(name string) {
	w.t.Helper()
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	require.NoError(w.t, err)
	dir := os.Getenv("PICTURES")
	if dir == "" {
		dir = "../../docs/pictures"
	}
	require.NoError(w.t, os.MkdirAll(dir, 0o755))
	require.NoError(w.t, os.WriteFile(dir+"/"+name+".png", png, 0o644))
}
