package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
)

// program is the versiond that TestMain has built, chromium the one browser; each test has windows of its own in it.
var (
	program  string
	chromium browser
)

func TestMain(m *testing.M) { os.Exit(cluster.Main(m, &program, func() { chromium.close() })) }

// browser is a process that the first test starts.
type browser struct {
	ctx   context.Context
	close context.CancelFunc
}

func init() { chromium.close = func() {} }

func (b *browser) start(t *testing.T) context.Context {
	t.Helper()
	if b.ctx != nil {
		return b.ctx
	}
	path, err := servers.Find("chromium", "chromium")
	servers.Need(t, err, servers.ErrNotInstalled)
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(filepath.Dir(program), "profile")), chromedp.NoSandbox, chromedp.NoFirstRun, chromedp.DisableGPU,
		chromedp.Flag("headless", "new"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
	}
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closed := chromedp.NewContext(allocated)
	require.NoError(t, chromedp.Do(ctx))
	b.ctx, b.close = ctx, func() { closed(); stop() }
	return ctx
}
