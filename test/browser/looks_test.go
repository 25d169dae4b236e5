package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

var allViews = []string{"cluster", "records", "versions", "live", "backup"}

// looks goes through every view in both languages, in the dark and on a telephone. A sentence that is missing in Chinese
// is a complaint of the page, which fails the test.
func looks(t *testing.T, c *cluster.Cluster) {
	for _, l := range []look{{}, {language: "zh-CN", dark: true}, {width: 360, height: 740, dark: true}, {language: "zh-CN", width: 360, height: 740}} {
		w := mustEnter(t, c.Nodes[0], adminToken, l)
		for _, view := range allViews {
			w.view(view)
			w.settled()
			where := fmt.Sprintf("%s of %+v", view, l)
			require.LessOrEqual(t, value[int](w, `document.documentElement.scrollWidth - innerWidth`), 0, "%s is wider than the window", where)
			require.Empty(t, value[[]string](w, unreadable), "%s has too little contrast", where)
			require.Empty(t, value[[]string](w, nameless), "%s has what a screen reader cannot name", where)
			require.Equal(t, 1, value[int](w, `document.querySelectorAll("h1").length`), where)
		}
	}
	switched(t, c)
}

// settled waits until nothing is loaded any more.
func (w *window) settled() {
	w.t.Helper()
	w.until(`!document.querySelector("main .skeleton, main [aria-busy]") && document.querySelector(".pill.ok") !== null`, "the view is there")
}

// switched shows that the language and the colours that somebody has chosen stay, and that the keyboard is enough.
func switched(t *testing.T, c *cluster.Cluster) {
	w := mustEnter(t, c.Nodes[0], adminToken, look{})
	w.click("lang")
	w.see("集群", "成员", "可容忍 1 个节点故障")
	w.until(`document.activeElement.dataset.key === "lang"`, "the focus stays where it was")
	polls := value[int](w, polled)
	w.until(fmt.Sprintf("%s > %d", polled, polls+1), "the page goes on looking at the cluster")
	w.click("theme")
	w.run(chromedp.Reload())
	w.see("集群")
	require.Equal(t, "zh dark", value[string](w, `document.documentElement.lang + " " + document.documentElement.dataset.theme`))
	require.Equal(t, "rgb(15, 19, 23)", value[string](w, `getComputedStyle(document.body).backgroundColor`))
	for range 10 {
		w.run(chromedp.KeyEvent(kb.Tab))
		if value[string](w, `document.activeElement.dataset.key ?? ""`) == "tab-records" {
			break
		}
	}
	w.run(chromedp.KeyEvent(kb.Enter))
	w.see("新建记录")
	w.until(`document.activeElement.id === "main"`, "the focus goes where the view is")
}

// polled is how often the page has asked for the members.
const polled = `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/peers")).length`

// unreadable returns the texts whose contrast is below 4.5, as WCAG AA has it.
const unreadable = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = (colour) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (el) => {
		for (; el; el = el.parentElement) {
			const c = rgba(getComputedStyle(el).backgroundColor);
			if (c[3] === 255) return c;
		}
		return [255, 255, 255];
	};
	const low = [];
	for (const el of document.querySelectorAll("body *")) {
		const own = [...el.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
		if (!own.length || !el.checkVisibility() || el.matches(":disabled, .skip")) continue;
		const [a, b] = [light(rgba(getComputedStyle(el).color)), light(ground(el))].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) low.push(own[0].data.trim() + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
	}
	return low;
})()`

// nameless returns the controls that have no name.
const nameless = `[...document.querySelectorAll("button, a, input, select, textarea, [role=table]")]
	.filter((el) => !(el.textContent.trim() || el.getAttribute("aria-label") || el.labels?.length || el.title)).map((el) => el.outerHTML)`
