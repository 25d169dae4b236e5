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
	assert.Equal(t, "2 asked, 1 told", resolved[string](w, `import("./console/api.js").then(async ({repeat}) => {
		const under = new AbortController();
		let asked = 0, told = 0;
		window.reportError = () => told++;
		await repeat(1, under.signal, () => { if (++asked === 2) under.abort(); throw new TypeError("no answer of a node's"); });
		return asked + " asked, " + told + " told";
	})`), "one answer that is no node's ends the looks at the cluster")
	assert.Equal(t, []string{"lost", "7"}, resolved[[]string](w, `import("./console/watch.js").then(async ({watch}) => {
		const under = new AbortController(), seen = [], fetch = window.fetch;
		const answers = ["<html>\n<h1>Sign in</h1>\n</html>", '{"type":"put","revision":7}\n'];
		window.fetch = async (url, options) => String(url).includes("/version/watch") ? new Response(answers.shift()) : fetch(url, options);
		await watch({}, {since: 0}, {open() {}, lost: () => seen.push("lost"), events: ([{revision}]) => { seen.push(String(revision)); under.abort(); }}, under.signal);
		return seen;
	})`), "one answer that is no node's ends what is told of writes")
	assert.Equal(t, []string{"2 a b", "3 wrong", "4 a\"b", "5 wrong", "6 wrong", "7 c"}, resolved[[]string](w, `import("./console/rows.js").then(({readRows}) => readRows(
		'id,versionNo,platform,minVersionNo\n"a b",1,linux,\n"abc" ,1,linux,\n"a""b",1,linux,\nab"c,1,linux,\n"abc"def,1,linux,\nc,1,linux,')
		.map(({line, record, wrong}) => line + " " + (wrong ? "wrong" : record.id)))`), "what versiond import refuses is taken, or the other way round")
	assert.Equal(t, []string{"1 a", "2 wrong"}, resolved[[]string](w, `import("./console/rows.js").then(({readRows}) => readRows('a,1,linux\n"b,1,linux\nc,1,linux\n')
		.map(({line, record, wrong}) => line + " " + (wrong ? "wrong" : record.id)))`), "a quote without an end takes the rest")
	assert.Equal(t, []int{0, 1}, resolved[[]int](w, `import("./console/plan.js").then(({batches}) => {
		const create = Array.from({length: 400}, (_, i) => ({record: {id: "long-" + i, versionNo: "1", platform: "p", attributes: {notes: "注".repeat(600)}}}));
		const sizes = [...batches({create, update: []})].map((batch) => new Blob([JSON.stringify(batch.map(({item}) => item))]).size);
		return [sizes.filter((bytes) => bytes > 1 << 19).length, Number(sizes.length > 1)];
	})`), "an import of long texts is refused")
	assert.Equal(t, `{"versionNo":"1","platform":"p"}`, resolved[string](w, `Promise.all([import("./console/views/record_form.js"), import("./console/details.js")]).then(([{recordForm}, {changes}]) => {
		const record = {id: "plain", versionNo: "1", platform: "p"};
		return JSON.stringify(changes(record, recordForm(record, {}).read()));
	})`), "what nobody has touched is changed")
	assert.Equal(t, "0 5 0", resolved[string](w, `import("./console/views/plots.js").then(async ({plots}) => {
		const under = new AbortController(), {fetch, setTimeout} = window;
		let asked = 0;
		window.setTimeout = (act, ms) => setTimeout(act, ms / 100);
		window.fetch = async (url, options) => {
			if (!String(url).includes("metrics")) return fetch(url, options);
			if (++asked === 6) window.enough();
			const [node, writes, lag] = asked % 2 ? ["node1", 5, 0] : ["node2", 900000, 7];
			return new Response('versiond_writes_total{node="' + node + '"} ' + writes + '\nversiond_applier_lag_entries{node="' + node + '"} ' + lag + "\n");
		};
		const drawn = plots(under.signal);
		await new Promise((resolve) => { window.enough = resolve; });
		under.abort();
		Object.assign(window, {fetch, setTimeout});
		const shown = (name) => drawn.querySelector("[data-plot='" + name + "'] strong").textContent;
		return shown("Writes") + " 5 " + shown("Behind");
	})`), "a proxy that asks any node makes one of them look busy")
	assert.Equal(t, "unreachable", resolved[string](w, `import("./console/api.js").then(async ({get}) => {
		window.fetch = (_, {signal}) => new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
		return get(["peers"], {within: 10}).catch(({code}) => code);
	})`), "a node that takes a connection and says nothing is waited for without an end")
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
