//go:build pictures

package browser_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// The pictures of the pages, and how much the plots in them have seen.
const (
	pictures = "../../docs/pictures"
	samples  = 20
)

// Pictures for the pages, of each view: make pictures.
func TestPictures(t *testing.T) {
	c := cluster.Start(t, cluster.Config{Program: program})
	fillWithApps(t, c.Nodes[0])
	work(t, c)
	size := look{width: 1120, height: 700}
	takes := []struct {
		name  string
		look  look
		views []string
	}{
		{"", size, allViews},
		{"-zh", look{language: "zh-CN", width: size.width, height: size.height}, allViews},
		{"-dark", look{dark: true, width: size.width, height: size.height}, []string{"cluster", "versions"}},
		{"-narrow", look{width: 360, height: 740}, []string{"cluster", "records"}},
	}
	windows := make([]*window, len(takes))
	for i, take := range takes {
		windows[i] = mustOpen(t, c.Nodes[0], take.look)
	}
	for n := 5; n <= samples; n += 5 {
		windows[0].until(fmt.Sprintf(`document.querySelector(".line")?.getAttribute("d")?.split("L").length >= %d`, n), "the plots have a line")
	}
	for i, take := range takes {
		for _, view := range take.views {
			windows[i].view(view)
			windows[i].settled()
			if view == "live" {
				windows[i].until(`document.querySelectorAll("main tbody tr").length > 9`, "something was written")
			}
			windows[i].save("console-" + view + take.name)
		}
	}
}

// work writes for as long as the test goes on, so that there is something to see.
func work(t *testing.T, c *cluster.Cluster) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		pace := time.NewTicker(90 * time.Millisecond)
		defer pace.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			if i%40 < i%7*5 {
				continue // not always as much
			}
			id := []string{"atlas-web", "openssl", "libstdc++6"}[i%3]
			record := model.VersionDB{ID: id, VersionNo: fmt.Sprintf("3.12.%d", i), Platform: []string{"web", "linux/amd64", "linux/amd64"}[i%3]}
			_, err := c.Nodes[i%3].Client.Update(ctx, record, 0)
			if err == nil {
				_, err = c.Nodes[0].Client.Get(ctx, id, model.ReadOptions{Level: model.LevelNone})
			}
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	}()
}

// save keeps what is seen.
func (w *window) save(name string) {
	w.t.Helper()
	png, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	require.NoError(w.t, err)
	require.NoError(w.t, os.MkdirAll(pictures, 0o755))
	require.NoError(w.t, os.WriteFile(pictures+"/"+name+".png", png, 0o644))
}
