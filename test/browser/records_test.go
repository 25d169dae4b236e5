package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// records creates, changes, deletes and puts back, with an id that has to be written with care in a path.
func records(t *testing.T, c *cluster.Cluster) {
	const id = "@scope/pkg+x y"
	w := mustEnter(t, c.Nodes[1], writeToken, look{})
	w.view("records")
	w.click("new")
	w.enter("id", id)
	w.enter("platform", "npm")
	w.click("save")
	w.see("Something in it is not right.")
	w.until(`document.activeElement.dataset.key === "versionNo" && document.activeElement.ariaInvalid === "true"`, "the focus is where something is wrong")
	w.enter("versionNo", "1.0.0")
	w.enter("rolloutPercent", "2e")
	w.click("save")
	w.see("must be a whole number from 0 to 100")
	w.enter("rolloutPercent", "25")
	w.enter("attributes", "url=https://example.org/a=b\nsha256=00\nnotes=New:\n * a\n \n * b")
	w.click("save")
	w.see("Created "+id, "25 %")
	twentyFive := uint8(25)
	created := mustGet(t, c, id)
	require.Equal(t, &model.Details{RolloutPercent: &twentyFive, Attributes: map[string]string{"url": "https://example.org/a=b", "sha256": "00", "notes": "New:\n* a\n\n* b"}}, created.Details)

	w.click("new")
	w.enter("id", id)
	w.enter("versionNo", "2")
	w.enter("platform", "p")
	w.click("save")
	w.see("There is a record with this ID already.")
	value[bool](w, `(() => {
		const real = window.fetch;
		const held = new Promise((resolve) => { window.goOn = () => resolve() ?? true; });
		window.fetch = async (...asked) => {
			window.fetch = real;
			const answer = await real(...asked);
			await held;
			return answer;
		};
		document.querySelector("[data-key=save]").click();
		return true;
	})()`)
	w.run(chromedp.KeyEvent(kb.Escape))
	w.until(`!document.querySelector("dialog")`, "Escape closes it")
	value[bool](w, `window.goOn()`)
	w.see(id + ": There is a record with this ID already.")

	w.click("open-" + id)
	w.enter("versionNo", "1.1.0")
	w.enter("rolloutPercent", "")
	w.click("withdrawn")
	w.click("save")
	w.see("Saved "+id, "1.1.0", "withdrawn")
	changed := mustGet(t, c, id)
	require.Nil(t, changed.RolloutPercent)
	require.True(t, changed.Withdrawn)
	require.Equal(t, created.Attributes, changed.Attributes)

	w.click("open-" + id)
	_, err := c.Nodes[0].Client.Update(t.Context(), model.VersionDB{ID: id, VersionNo: "1.1.1", Platform: "npm"}, 0)
	require.NoError(t, err)
	w.click("delete")
	w.see("Somebody else has changed it in the meantime.")
	w.until(`document.querySelector("dialog [data-key=versionNo]").value === "1.1.1"`, "the form has what the record is now")
	changed = mustGet(t, c, id)
	w.loseAnswerTo("DELETE")
	w.click("delete")
	w.see("This node does not answer.")
	w.click("delete")
	w.see("Deleted " + id)
	w.until(fmt.Sprintf(`![...document.querySelectorAll("[data-row]")].some((r) => r.dataset.row === %q)`, id), "the row is gone")
	w.until(`document.querySelector("main").contains(document.activeElement)`, "the focus goes to what is near")
	w.loseAnswerTo("POST")
	w.click("toast-action")
	w.see("Try again")
	w.click("toast-action")
	w.see(id + " is back.")
	back := mustGet(t, c, id)
	require.Greater(t, back.Revision, changed.Revision)
	changed.Revision = back.Revision
	require.Equal(t, changed, back)
}

// loseAnswerTo has the next request of a method answered by nobody, although it is done.
func (w *window) loseAnswerTo(method string) {
	w.t.Helper()
	value[bool](w, fmt.Sprintf(`(() => {
		const real = window.fetch;
		window.fetch = async (...asked) => {
			const answer = await real(...asked);
			if (asked[1].method !== %q) return answer;
			window.fetch = real;
			throw new TypeError("the answer is lost");
		};
		return true;
	})()`, method))
}

// untouched changes one attribute of a record whose others cannot all be written as name=value, and that names its scheme
// although it need not.
func untouched(t *testing.T, c *cluster.Cluster) {
	attributes := map[string]string{"a=b": "1", "notes": "  first  \n second\r\nthird\n", "url": "https://example.org/1"}
	_, err := c.Nodes[0].Client.Add(t.Context(), model.VersionDB{ID: "untouched", VersionNo: "1", Platform: "p", Details: &model.Details{Scheme: "natural", Attributes: attributes}})
	require.NoError(t, err)
	w := mustEnter(t, c.Nodes[2], writeToken, look{})
	w.view("records")
	w.enter("search-prefix", "untouched")
	w.click("open-untouched")
	value[bool](w, `(() => {
		const el = document.querySelector("[data-key=attributes]");
		el.value = el.value.replace("org/1", "org/2");
		return el.dispatchEvent(new Event("input", {bubbles: true}));
	})()`)
	w.click("save")
	w.see("Saved untouched.")
	attributes["url"] = "https://example.org/2"
	saved := mustGet(t, c, "untouched")
	require.Equal(t, &model.Details{Scheme: "natural", Attributes: attributes}, saved.Details)
}

// conflict shows two people who change one record: neither loses anything unseen.
func conflict(t *testing.T, c *cluster.Cluster) {
	mustAdd(t, c, "of-two")
	w := mustEnter(t, c.Nodes[0], writeToken, look{})
	w.view("records")
	w.click("open-of-two")
	w.enter("versionNo", "2.0.0-mine")
	_, err := c.Nodes[1].Client.Update(t.Context(), model.VersionDB{ID: "of-two", VersionNo: "2.0.0-theirs", Platform: "linux"}, 0)
	require.NoError(t, err)
	w.click("save")
	w.see("of-two was changed in the meantime", "2.0.0-mine", "2.0.0-theirs")
	w.click("take")
	w.until(`document.querySelector("dialog [data-key=versionNo]").value === "2.0.0-theirs"`, "the form has theirs")

	w.enter("versionNo", "3.0.0-mine")
	_, err = c.Nodes[1].Client.Update(t.Context(), model.VersionDB{ID: "of-two", VersionNo: "3.0.0-theirs", Platform: "windows"}, 0)
	require.NoError(t, err)
	w.click("save")
	w.see("3.0.0-theirs", "windows")
	w.click("keep")
	w.see("Saved of-two.")
	kept := mustGet(t, c, "of-two")
	require.Equal(t, "3.0.0-mine linux", kept.VersionNo+" "+kept.Platform)
}

// pages goes through more records than one page has, forth and back, and finds some of them.
func pages(t *testing.T, c *cluster.Cluster) {
	for i := range 51 {
		mustAdd(t, c, fmt.Sprintf("paged-%02d", i))
	}
	w := mustEnter(t, c.Nodes[2], writeToken, look{})
	w.view("records")
	w.enter("search-prefix", "paged-")
	w.until(`location.hash === "#/records?prefix=paged-"`, "it is searched for")
	w.settled()
	w.see("Page 1 · 50 records", "paged-49")
	twice := `{const next = document.querySelector("[data-key=next]"); next.focus(); next.click(); next.click(); true}`
	value[bool](w, twice)
	w.see("Page 2 · 1 record", "paged-50")
	w.until(`document.activeElement.dataset.key === "previous"`, "the focus is where one can go on")
	w.click("previous")
	w.see("Page 1 · 50 records", "paged-00")
	value[bool](w, twice)
	w.click("open-paged-50")
	w.click("delete")
	w.see("Page 1 · 50 records", "paged-00")
	for i := range 21 {
		_, err := c.Nodes[0].Client.Update(t.Context(), model.VersionDB{ID: "paged-00", VersionNo: fmt.Sprintf("1.0.%d", i), Platform: "linux"}, 0)
		require.NoError(t, err)
	}
	w.click("open-paged-00")
	w.click("history")
	w.see("Older")
	value[bool](w, `(() => {
		const real = window.fetch;
		window.fetch = async (...asked) => {
			if (!String(asked[0]).includes("/history")) return real(...asked);
			window.fetch = real;
			throw new TypeError("there is no answer");
		};
		document.querySelector("[data-key=older]").click();
		return true;
	})()`)
	w.see("This node does not answer.")
	w.until(`document.querySelectorAll("ol.past > li").length === 20`, "what was there already")
	require.Equal(t, 1, value[int](w, `(() => {
		const real = window.fetch;
		let asked = 0;
		window.fetch = (...all) => { asked += String(all[0]).includes("/history"); return real(...all); };
		const older = document.querySelector("[data-key=older]");
		older.click();
		older.click();
		window.fetch = real;
		return asked;
	})()`))
	w.until(`document.querySelectorAll("ol.past > li").length === 22`, "the whole history")
	w.click("close")
	w.enter("search-prefix", "paged-3")
	w.see("10 records")
	require.Equal(t, "#/records?prefix=paged-3", value[string](w, "location.hash"))
	w.enter("search-platform", "beos")
	w.see("No record is like that")
	w.run(chromedp.Reload())
	w.see("No record is like that")
	w.enter("search-platform", "linux")
	w.see("10 records", "paged-30", "paged-39")
	require.Equal(t, 10, value[int](w, `document.querySelectorAll("main [data-row]").length`))

	value[bool](w, `import("./console/dom.js").then(async ({sleep}) => {
		let held = 0;
		await sleep(1, {addEventListener() { held++; }, removeEventListener() { held--; }});
		window.heldAfterSleep = held;
	}) && true`)
	w.until(`window.heldAfterSleep === 0`, "a page that looks again and again holds nothing of it")
	value[bool](w, `import("./console/watch.js").then(async ({lines}) => {
		const silent = new ReadableStream({cancel() { window.givenUp = true; }});
		for await (const _ of lines(silent, 10)) window.givenUp = false;
	}) && true`)
	w.until(`window.givenUp === true`, "a stream that fell silent is given up")
}

// leaving types into a filter and goes to another view at once: what was typed is of no interest any more.
func leaving(t *testing.T, c *cluster.Cluster) {
	w := mustEnter(t, c.Nodes[0], readToken, look{})
	for view, field := range map[string]string{"records": "search-prefix", "versions": "versions-prefix", "live": "live-prefix"} {
		w.view(view)
		asked := resolved[[]string](w, fmt.Sprintf(`new Promise((resolve) => {
			const field = document.querySelector(%q);
			field.value = "left";
			field.dispatchEvent(new Event("input", {bubbles: true}));
			location.hash = "#/cluster";
			const real = window.fetch;
			const asked = [];
			window.fetch = (url, options) => {
				if (String(url).includes("left")) asked.push(String(url));
				return real(url, options);
			};
			setTimeout(() => {
				window.fetch = real;
				resolve([location.hash, ...asked]);
			}, 500);
		})`, key(field)))
		assert.Equal(t, []string{"#/cluster"}, asked, view)
	}
}
