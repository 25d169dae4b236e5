package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/captured"
)

func TestHistoryCommand(t *testing.T) {
	must(t, "create", "told", "1", "linux")
	must(t, "update", "told", "2", "--platform", "ios", "--withdrawn")
	must(t, "delete", "told")
	r := command(t, "", "history", "told")
	require.Zero(t, r.code, r.stderr)
	lines := strings.Split(r.stdout, "\n")
	require.Regexp(t, `^REVISION +AT +BY +OP +VERSION +PLATFORM +MORE$`, lines[0])
	require.Regexp(t, `^\d+ +20\S+Z +ops +delete +- +ios$`, lines[1])
	require.Regexp(t, `^\d+ +20\S+Z +ops +update +2 +linux -> ios +withdrawn$`, lines[2])
	require.Regexp(t, `^\d+ +20\S+Z +ops +create +1 +linux$`, lines[3])
	require.Equal(t, strings.Index(lines[0], "MORE"), strings.Index(lines[2], "withdrawn"), "columns are lined up")
	require.Empty(t, r.stderr)
	r = command(t, "", "history", "told", "--limit", "1", "-o", "json")
	require.Contains(t, r.stdout, `[{"op":"delete","id":"told"`)
	require.Contains(t, r.stderr, "older changes")
	require.Equal(t, exitNotFound, command(t, "", "history", "told/none").code)
}

// watch prints what there is and what comes, and says at Ctrl-C where to go on; from there nothing is missed.
func TestWatchCommand(t *testing.T) {
	must(t, "create", "seen/1", "1", "linux")
	var stdout, stderr captured.Buffer
	p := Program{Environ: []string{"VERSIOND_URL=" + urls[1], "VERSIOND_TOKEN=" + adminSecret}, Stdout: &stdout, Stderr: &stderr}
	ended := make(chan int)
	go func() { ended <- p.Run([]string{"watch", "--all", "--prefix", "seen/", "--bookmarks"}) }()
	has := func(text string) {
		require.Eventually(t, func() bool { return strings.Contains(stdout.String(), text) }, 10*time.Second, 5*time.Millisecond, "%s in %s, %s", text, &stdout, &stderr)
	}
	has("bookmark  ")
	must(t, "create", "seen/2", "2", "linux", "--mandatory")
	must(t, "delete", "seen/1")
	has("  seen/2  2  linux  mandatory\n")
	has("  seen/1\n")
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
	require.Zero(t, <-ended)
	require.Regexp(t, `^put       \d+  seen/1  1  linux\n(bookmark  \d+\n)+put       \d+  seen/2  2  linux  mandatory\n(bookmark  \d+\n)*delete    \d+  seen/1\n(bookmark  \d+\n)*$`, stdout.String())
	require.Regexp(t, `^versiond watch --since \d+ goes on from here\n$`, stderr.String())

	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Versiond-Node", "node1")
		_, _ = io.WriteString(w, `{"type":"bookmark","revision":16}`+"\n"+`{"type":"error","code":"revision_gone","revision":99,"detail":"a backup was restored"}`+"\n")
	}))
	defer gone.Close()
	r := commandOn(t, []string{gone.URL}, "", "watch", "--since", "8")
	require.Equal(t, exitOther, r.code)
	require.Contains(t, r.stderr, "--all begins anew")
	require.NotContains(t, r.stderr, "goes on from here")

	unread := Program{Environ: p.Environ, Stdout: unwritable{}, Stderr: &captured.Buffer{}}
	require.NotZero(t, unread.Run([]string{"watch", "--prefix", "seen/", "--bookmarks"}))
	require.NotContains(t, unread.Stderr.(*captured.Buffer).String(), "goes on from here", "nothing was seen")
	unread.Run([]string{"watch", "--since", "0", "--prefix", "seen/"}) // it would wait for what is written next

	since := strings.Fields(stderr.String())[3]
	must(t, "create", "seen/3", "3", "linux")
	r = command(t, "", "watch", "--since", "1")
	require.Equal(t, exitOther, r.code)
	require.Contains(t, r.stderr, "--all begins anew")
	require.Equal(t, exitUsage, command(t, "", "watch", "--since", since, "--all").code)
	var again captured.Buffer
	p.Stdout, p.Stderr = &again, &captured.Buffer{}
	go func() { ended <- p.Run([]string{"watch", "--since", since, "--prefix", "seen/", "-o", "json"}) }()
	require.Eventually(t, func() bool { return strings.Contains(again.String(), "seen/3") }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, 1, strings.Count(again.String(), "\n"), again.String())
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
	require.Zero(t, <-ended)
}

// unwritable is an output that nobody reads any more.
type unwritable struct{}

func (unwritable) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// A watch that has begun goes on trying while a proxy reaches no node, and says so; other questions are to be asked later.
func TestCommandsWhileAProxyReachesNoNode(t *testing.T) {
	var stdout, stderr captured.Buffer
	var begun atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Versiond-Node", "node1")
		switch {
		case r.URL.Path == "/version/watch" && !begun.Swap(true):
			_, _ = io.WriteString(w, `{"type":"bookmark","revision":16}`+"\n")
		case r.URL.Path == "/version/watch" && strings.Contains(stderr.String(), "not as a node does; still trying"):
			_, _ = io.WriteString(w, `{"type":"error","code":"revision_gone","revision":99,"detail":"a backup was restored"}`+"\n")
		default:
			w.Header().Del("X-Versiond-Node")
			http.Error(w, "<html><body><h1>503 Service Unavailable</h1>", http.StatusServiceUnavailable)
		}
	}))
	defer proxy.Close()
	p := Program{Environ: []string{"VERSIOND_URL=" + proxy.URL}, Stdout: &stdout, Stderr: &stderr}
	require.Equal(t, exitOther, p.Run([]string{"watch", "--timeout", "50ms"}))
	require.Contains(t, stderr.String(), "answered 503 Service Unavailable, and not as a node does; still trying\n")
	require.Contains(t, stderr.String(), "revision_gone")
	require.Equal(t, exitUnavailable, commandOn(t, []string{proxy.URL}, "", "get", "x", "--timeout", "50ms").code)
	require.Equal(t, exitOutcomeUnknown, commandOn(t, []string{proxy.URL}, "", "delete", "x", "--timeout", "50ms").code)
}
