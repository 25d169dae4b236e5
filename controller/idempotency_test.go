package controller_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const keyHeader, replayedHeader = "Idempotency-Key", "X-Versiond-Replayed"

// The second answer must be the first, whatever it was, and say that it is: only what the answer reflects
// may have moved on.
func TestRepeatedRequestsAreAnsweredAgain(t *testing.T) {
	const create, change = `{"id":"a","versionNo":"1","platform":"linux"}`, `{"versionNo":"2","platform":"linux"}`
	for name, r := range map[string]request{
		"create":                     {method: http.MethodPost, path: "/version", body: create},
		"refused create":             {method: http.MethodPost, path: "/version", body: strings.Replace(create, `"a"`, `"known"`, 1)},
		"update":                     {method: http.MethodPut, path: "/version/known", body: change},
		"stale update":               {method: http.MethodPut, path: "/version/known", body: change, header: map[string]string{"If-Match": `"1"`}},
		"delete":                     {method: http.MethodDelete, path: "/version/known"},
		"refused delete":             {method: http.MethodDelete, path: "/version/missing"},
		"delete with a list":         {method: http.MethodDelete, path: "/version/known", header: map[string]string{"If-Match": `"1", ` + firstRevision}},
		"refused delete with a list": {method: http.MethodDelete, path: "/version/missing", header: map[string]string{"If-Match": `"1", "2"`}},
		"refused update with a list": {method: http.MethodPut, path: "/version/missing", body: change, header: map[string]string{"If-Match": `"1", "2"`}},
		"batch":                      {method: http.MethodPost, path: batchPath, body: batchOf(false, createItem("b"), createItem("known"))},
		"refused batch":              {method: http.MethodPost, path: batchPath, body: batchOf(true, createItem("b"), createItem("known"))},
	} {
		t.Run(name, func(t *testing.T) {
			n := mustNode(t)
			header := []string{keyHeader, strings.Repeat("~!", 64)}
			for name, value := range r.header {
				header = append(header, name, value)
			}
			first := n.send(t, r.method, r.path, r.body, header...)
			require.Empty(t, first.Header().Get(replayedHeader))
			index, records, _ := n.service.snapshot()
			again := n.send(t, r.method, r.path, r.body, header...)
			require.Equal(t, "true", again.Header().Get(replayedHeader))
			require.Equal(t, first.Code, again.Code)
			for _, name := range []string{"ETag", "Location", "Content-Type"} {
				require.Equal(t, first.Header().Get(name), again.Header().Get(name), name)
			}
			require.Equal(t, withoutRequestID(first.Body.String()), withoutRequestID(again.Body.String()))
			indexAfter, recordsAfter, _ := n.service.snapshot()
			require.Equal(t, index, indexAfter)
			require.Equal(t, records, recordsAfter)
		})
	}
}

func withoutRequestID(body string) string {
	before, _, _ := strings.Cut(body, `,"requestId"`)
	return before
}

// A key on another request is refused as a whole, and not marked as an answer to it.
func TestAKeyOnAnotherRequest(t *testing.T) {
	n := mustNode(t)
	require.Equal(t, http.StatusNoContent, n.send(t, http.MethodDelete, "/version/known", "", keyHeader, "k").Code)
	for name, r := range map[string]request{
		"another method": {method: http.MethodPost, path: "/version", body: `{"id":"known","versionNo":"1","platform":"linux"}`},
		"another id":     {method: http.MethodDelete, path: "/version/a"},
		"a batch":        {method: http.MethodPost, path: batchPath, body: batchOf(false, createItem("a"), createItem("b"))},
		"an atomic one":  {method: http.MethodPost, path: batchPath, body: batchOf(true, createItem("a"), createItem("b"))},
	} {
		answer := n.send(t, r.method, r.path, r.body, keyHeader, "k")
		requireProblem(t, answer, http.StatusUnprocessableEntity, "idempotency_key_reused")
		require.Empty(t, answer.Header().Get(replayedHeader), name)
		require.Empty(t, answer.Header().Get("ETag"), name)
	}
	_, records, _ := n.service.snapshot()
	require.Empty(t, records)
}

// Two keys are no key: to take either would leave the other one without its promise.
func TestTwoKeysAreRefused(t *testing.T) {
	n := mustNode(t)
	r := httptest.NewRequest(http.MethodDelete, "http://"+ownHost+"/version/known", nil)
	r.Header[keyHeader] = []string{"a", "b"}
	answer := httptest.NewRecorder()
	n.public.ServeHTTP(answer, r)
	problem := requireProblem(t, answer, http.StatusBadRequest, "invalid_request")
	require.Equal(t, keyHeader, problem.Errors[0].Field)
}
