package controller_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
)

// What became of a record is read page by page, and a client that has a page already is told so.
func TestHistory(t *testing.T) {
	n := mustNode(t)
	answer := n.get(t, "/version/known/history")
	require.Equal(t, http.StatusOK, answer.Code)
	requireLabels(t, answer, "7")
	require.JSONEq(t, `{"items":[
		{"revision":28672,"op":"update","versionNo":"1.0.0","platform":"linux","wasPlatform":"ios","at":"2023-11-14T22:13:20.123Z","by":"ci"},
		{"revision":28671,"op":"create","versionNo":"1.0.0","platform":"ios"}],"complete":true}`, answer.Body.String())

	first := mustDecode[controller.History](t, n.get(t, "/version/known/history?limit=1&level=none&min_index=7"))
	require.Len(t, first.Items, 1)
	second := mustDecode[controller.History](t, n.get(t, "/version/known/history?limit=1&cursor="+first.NextCursor))
	require.EqualValues(t, 28671, second.Items[0].Revision)
	require.Empty(t, second.NextCursor)

	tag := answer.Header().Get("ETag")
	known := n.do(t, request{method: http.MethodGet, path: "/version/known/history", header: map[string]string{"If-None-Match": tag}})
	require.Equal(t, http.StatusNotModified, known.Code)
	requireProblem(t, n.get(t, "/version/nobody/history"), http.StatusNotFound, "not_found")
}
