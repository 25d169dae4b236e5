package controller_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/load/badrequests"
)

// A request that breaks a rule is refused with the right code, names every wrong field once, and
// changes nothing.
func TestBadRequests(t *testing.T) {
	n := mustNode(t)
	require.Greater(t, len(badrequests.Public()), 80)
	for _, c := range badrequests.Public() {
		t.Run(c.Name, func(t *testing.T) { requireRefused(t, n, n.public, c) })
	}
}

func TestBadRequestsToPeerPort(t *testing.T) {
	n := mustNode(t)
	for _, c := range badrequests.Peer() {
		t.Run(c.Name, func(t *testing.T) { requireRefused(t, n, n.peer, c) })
	}
}

func requireRefused(t *testing.T, n *node, port http.Handler, c badrequests.Case) {
	index, records, members := n.service.snapshot()
	answer := serve(t, port, request{method: c.Method, path: c.Path, header: c.Header, body: c.Body})
	problem := requireProblem(t, answer, c.Status, c.Code)
	requireLabels(t, answer, "7")
	if c.Status == http.StatusMethodNotAllowed {
		require.NotEmpty(t, answer.Header().Get("Allow"))
	}

	named := []string{}
	for _, each := range problem.Errors {
		named = append(named, each.Field)
		require.NotEmpty(t, each.Detail)
	}
	require.ElementsMatch(t, c.Fields, named, problem.Detail)

	indexAfter, recordsAfter, membersAfter := n.service.snapshot()
	require.Equal(t, index, indexAfter)
	require.Equal(t, records, recordsAfter)
	require.Equal(t, members, membersAfter)
}

// An answer to an absurd request stays small.
func TestBadRequestAnswerIsBounded(t *testing.T) {
	n := mustNode(t)
	body := []byte(`{`)
	for i := range 20000 {
		body = append(body, `"unknown field `...)
		body = append(body, byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), byte('a'+i/17576%26))
		body = append(body, `":1,`...)
	}
	body = append(body, `"id":"a"}`...)
	answer := n.send(t, http.MethodPost, "/version", string(body))
	problem := requireProblem(t, answer, http.StatusBadRequest, "invalid_request")
	require.Len(t, problem.Errors, 32)
}
