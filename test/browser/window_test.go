package browser_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// patience is how long a window waits for what should be there.
const patience = 15 * time.Second

// look is what a person has before him.
type look struct {
	language      string // of the browser; "" is English
	dark          bool
	width, height int64
}

// window is one with a session of its own: another window's token is not in it.
type window struct {
	t        *testing.T
	ctx      context.Context
	patience time.Duration

	mu     sync.Mutex
	wrongs []string
}

// mustOpen opens the console of a node. The test fails when a script fails or complains, or when the browser keeps
// something from the page because of its Content-Security-Policy.
func mustOpen(t *testing.T, n *cluster.Node, l look) *window {
	t.Helper()
	return mustOpenAt(t, fmt.Sprintf("http://127.0.0.1:%d/", n.Port), l)
}

func mustOpenAt(t *testing.T, home string, l look) *window {
	t.Helper()
	w := &window{t: t, patience: patience}
	ctx, closed := chromedp.NewContext(chromium.start(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(w.listen))
	w.ctx = ctx
	t.Cleanup(func() { closed(); w.requireNothingWrong() })
	if l.width == 0 {
		l.width, l.height = 1280, 800
	}
	if l.language == "" {
		l.language = "en-US"
	}
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	require.NoError(t, chromedp.Do(ctx)) // the first call must not have a time limit: the window lives as long
	call(w, log.Enable, cdp.Empty{})
	call(w, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "Mozilla/5.0 (test) Chrome/156", AcceptLanguage: l.language})
	call(w, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	w.run(chromedp.EmulateViewport(l.width, l.height), chromedp.Navigate(home))
	return w
}

func call[P, R any](w *window, command cdp.Command[P, R], params P) {
	w.t.Helper()
	_, err := chromedp.Call(w.ctx, command, params)
	require.NoError(w.t, err)
}

// listen keeps what went wrong. That an answer was a refusal the browser writes too, as network; the tests see to that.
func (w *window) listen(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		w.wrong(e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			w.wrong("console", string(e.Type), string(e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
			w.wrong(string(e.Entry.Source), e.Entry.Text)
		}
	}
}

func (w *window) wrong(what ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrongs = append(w.wrongs, strings.Join(what, " "))
}

func (w *window) requireNothingWrong() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(w.t, w.wrongs, "the browser complained")
}

func (w *window) run(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, w.patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		w.t.Fatalf("%v; the page shows:\n%s\nand the browser complained of %q", err, w.text(), w.wrongs)
	}
}

// text is what can be read on the page now.
func (w *window) text() string {
	ctx, cancel := context.WithTimeout(w.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// see waits until all these words can be read.
func (w *window) see(words ...string) {
	w.t.Helper()
	for _, each := range words {
		w.until(fmt.Sprintf("(document.querySelector('dialog[open]:last-of-type') ?? document.body).innerText.includes(%q) || document.body.innerText.includes(%[1]q)", each), each)
	}
}

// gone waits until none of these words can be read any more.
func (w *window) gone(words ...string) {
	w.t.Helper()
	for _, each := range words {
		w.until(fmt.Sprintf("!document.body.innerText.includes(%q)", each), "not "+each)
	}
}

// until waits until a script's expression is true.
func (w *window) until(expression, what string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, w.patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		w.t.Fatalf("waiting for %s: %v; the page shows:\n%s\nand the browser complained of %q", what, err, w.text(), w.wrongs)
	}
}

func key(name string) string { return fmt.Sprintf(`[data-key="%s"]`, name) }

// click presses what has this key, once it can be pressed.
func (w *window) click(name string) {
	w.t.Helper()
	w.run(chromedp.Click(key(name)+":not([disabled])", chromedp.NodeVisible))
}

// enter replaces what stands in a field.
func (w *window) enter(name, text string) {
	w.t.Helper()
	at := fmt.Sprintf("document.querySelector(%q)", key(name))
	w.until(at+"?.checkVisibility() && !"+at+".disabled", name+" can be filled in")
	w.run(
		chromedp.Evaluate[chromedp.Void](at+".focus(); "+at+".select()"),
		chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(text),
	)
}

// view goes to one of the views.
func (w *window) view(name string) {
	w.t.Helper()
	w.click("tab-" + name)
	w.until(fmt.Sprintf(`document.querySelector("main").dataset.view === %q`, name), "the view "+name)
}

// value evaluates a script's expression.
func value[T any](w *window, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, w.patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(w.t, err)
	return v
}

// setRange moves a slider, as a finger does.
func setRange(name string, to int) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{const el = document.querySelector(%q); el.value = %d; el.dispatchEvent(new Event("input", {bubbles: true}));}`, key(name), to))
}

func text(percent *uint8) string {
	if percent == nil {
		return ""
	}
	return strconv.Itoa(int(*percent))
}
