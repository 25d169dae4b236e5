package browser_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// scripts calls what no view can be made to do at will.
func scripts(t *testing.T, c *cluster.Cluster) {
	w := mustOpen(t, c.Nodes[0], look{})
	w.see("This cluster asks for a token")
	assert.InDelta(t, 1, resolved[int](w, `import("./console/api.js").then(async ({Problem, repeat}) => {
		const under = new AbortController();
		let asked = 0;
		setTimeout(() => under.abort(), 100);
		await repeat(60000, under.signal, () => { asked++; throw new Problem({code: "unreachable", status: 0}); });
		return asked;
	})`), 0, "a node that does not answer is asked again and again without a rest")
}

// resolved is what a promise comes to.
func resolved[T any](w *window, promise string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](promise, chromedp.EvalAwaitPromise))
	require.NoError(w.t, err)
	return v
}
