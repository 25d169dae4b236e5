package controller_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// asked sends a request with a body that its path takes.
func asked(t *testing.T, n *node, method, path string) string {
	t.Helper()
	header, body := "application/json", `{"id":"x","versionNo":"1","platform":"p"}`
	switch path {
	case "/version/batch":
		body = `{"items":[{"op":"delete","id":"x"}]}`
	case "/version/known":
		body = `{"versionNo":"1","platform":"p"}`
	case "/restore":
		header = "application/octet-stream"
	}
	answer := n.do(t, request{method: method, path: path, body: body, header: map[string]string{"Content-Type": header}})
	require.Contains(t, []int{429, 503, 504}, answer.Code, answer.Body.String())
	return answer.Body.String()
}

// "Nothing was changed" is what a writer has to know, and makes a reader wonder what he has done.
func TestOnlyRefusedChangesSpeakOfChanges(t *testing.T) {
	for _, fault := range []error{
		model.ErrNoLeader, model.ErrNotLeader, model.ErrTooManyRequests, model.ErrStoreUnavailable, model.ErrLogUnavailable,
		model.ErrNotCaughtUp, model.ErrNodeRemoved,
	} {
		n := mustNode(t)
		n.service.fault = fault
		reads := []string{"/version", "/version/known", "/backup", "/leader", "/peers"}
		if errors.Is(fault, model.ErrTooManyRequests) {
			reads = reads[:3] // nothing waits for the others
		}
		for _, path := range reads {
			words := asked(t, n, http.MethodGet, path)
			require.NotContains(t, words, "changed", path)
			require.NotContains(t, words, "proposed", path)
		}
		for path, method := range changing {
			require.Contains(t, asked(t, n, method, path), "; nothing was changed", path)
		}
		require.Contains(t, asked(t, n, http.MethodGet, "/join/node4/127.0.0.1:7004"), "; nothing was changed")

		// What a node is told here, it tells its own clients, and adds what became of their requests.
		forwarded := serve(t, n.peer, request{method: http.MethodDelete, path: "/peer/node1"})
		require.NotContains(t, forwarded.Body.String(), "changed")
	}
}

var changing = map[string]string{
	"/version": http.MethodPost, "/version/known": http.MethodPut, "/version/batch": http.MethodPost, "/restore": http.MethodPost,
	"/join/node4/127.0.0.1:7004": http.MethodPost, "/peer/node1": http.MethodDelete, "/leader/node1": http.MethodPost,
}

// Whoever does not know whether something was done is told where to look: there is no record to read after
// a restore or a change of the members. An expired read is told in words, not in Go's.
func TestUnknownOutcomesSayWhereToLook(t *testing.T) {
	n := mustNode(t)
	for _, fault := range []error{model.ErrOutcomeUnknown, context.DeadlineExceeded} {
		n.service.fault = fault
		for path, where := range map[string]string{
			"/version": "read the record", "/version/known": "read the record", "/version/batch": "read the records", "/restore": "GET /version",
			"/join/node4/127.0.0.1:7004": "GET /peers", "/peer/node1": "GET /peers", "/leader/node1": "GET /leader",
		} {
			require.Contains(t, asked(t, n, changing[path], path), where, path)
		}
	}
	for _, path := range []string{"/version", "/version/known", "/leader", "/peers"} {
		words := asked(t, n, http.MethodGet, path)
		require.NotContains(t, words, "context", path)
		require.Contains(t, words, "in time", path)
	}
}

// What an answer sends people to has to be there.
func TestAPathThatIsNotThereSaysWhatIs(t *testing.T) {
	n := mustNode(t)
	for path, hint := range map[string]string{"/versions": "/swagger/index.html", "/version/": "no slash at their end", "/peers/": "no slash at their end", "/consoles": "/swagger/index.html",
		"/version/a/b/history": "/version/a%2Fb/history",
		"/version/@scope/pkg":  "a slash in an id is written %2F: /version/@scope%2Fpkg", "/version/a%20b/c//d": "/version/a%20b%2Fc%2F%2Fd",
		"/version/" + strings.Repeat("a/", 500) + "b": "/swagger/index.html"} {
		require.Contains(t, requireProblem(t, n.get(t, path), http.StatusNotFound, "no_such_path").Detail, hint, path)
	}
	for _, path := range []string{"/swagger/index.html", "/peers", "/version/"} {
		problem := requireProblem(t, serve(t, n.peer, request{method: http.MethodGet, path: path}), http.StatusNotFound, "no_such_path")
		require.Contains(t, problem.Detail, "public port", path)
		require.NotContains(t, problem.Detail, "/swagger", path)
	}
}
