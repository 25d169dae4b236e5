package controller_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
)

// A client that sends a tag which a proxy has made weak, or marked as compressed, is told so: that the
// record has another revision would send it round in a circle. The 412 has the ETag, as every other.
func TestATagThatNeverMatchesIsExplained(t *testing.T) {
	for tag, words := range map[string][]string{
		`W/"28672"`:          {"weak", `If-Match: "28672"`, "identity"},
		`"28672-gzip"`:       {"compresses", `If-Match: "28672"`},
		`W/"28672", W/"old"`: {"weak", `If-Match: "28672"`},
		`"abc"`:              {"double quotes"},
	} {
		n := mustNode(t)
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodGet} {
			answer := n.send(t, method, "/version/known", `{"versionNo":"2","platform":"linux"}`, "If-Match", tag)
			require.Equal(t, firstRevision, answer.Header().Get("ETag"), tag)
			detail := requireProblem(t, answer, http.StatusPreconditionFailed, "revision_mismatch").Detail
			for _, each := range words {
				require.Contains(t, detail, each, tag)
			}
			require.NotContains(t, detail, "another revision")
		}
		requireProblem(t, n.send(t, http.MethodDelete, "/version/missing", "", "If-Match", tag), http.StatusNotFound, "not_found")
	}
}

// RFC 9110, section 13.1.1: a list matches when one of its tags does, for reads too.
func TestAListInIfMatchMatchesWhenOneTagDoes(t *testing.T) {
	const list = `"1", W/"28672" , ` + firstRevision + `, "99999999999"`
	for method, status := range map[string]int{http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodPut: http.StatusOK, http.MethodDelete: http.StatusNoContent} {
		n := mustNode(t)
		require.Equal(t, status, n.send(t, method, "/version/known", `{"versionNo":"2","platform":"linux"}`, "If-Match", list).Code, method)
		answer := mustNode(t).send(t, method, "/version/known", `{"versionNo":"2","platform":"linux"}`, "If-Match", `"1", "4096"`)
		require.Equal(t, http.StatusPreconditionFailed, answer.Code, method)
		require.Equal(t, firstRevision, answer.Header().Get("ETag"))
	}
	n := mustNode(t)
	require.Equal(t, http.StatusOK, n.send(t, http.MethodGet, "/version/known", "", "If-Match", "*").Code)
	require.Equal(t, http.StatusNotModified, n.send(t, http.MethodGet, "/version/known", "", "If-Match", list, "If-None-Match", firstRevision).Code)
	require.Equal(t, http.StatusPreconditionFailed, n.send(t, http.MethodGet, "/version/known", "", "If-Match", `"1"`, "If-None-Match", firstRevision).Code)
}

// A keyed write on a list that is sent again is answered as the first time, though the record has moved on.
func TestAKeyedWriteOnAListIsAnsweredTwice(t *testing.T) {
	n := mustNode(t)
	for range 2 {
		answer := n.send(t, http.MethodPut, "/version/known", `{"versionNo":"2","platform":"linux"}`, "If-Match", `"4096", `+firstRevision, "Idempotency-Key", "k")
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		require.Equal(t, `"32768"`, answer.Header().Get("ETag"))
	}
}

// A record that cannot be looked at is not changed either, and the client may try again.
func TestAListInIfMatchNeedsTheRecord(t *testing.T) {
	n := mustNode(t)
	n.service.fault = model.ErrTimeout
	requireProblem(t, n.send(t, http.MethodDelete, "/version/known", "", "If-Match", `"1", "2"`), http.StatusGatewayTimeout, "timeout")
	n.service.fault = model.ErrNoLeader
	requireProblem(t, n.send(t, http.MethodDelete, "/version/known", "", "If-Match", `W/"1"`), http.StatusServiceUnavailable, "no_leader")
}

// What people do: read a record, change it, put it back. The revision that comes with it keeps them from
// undoing what somebody else has done in between.
func TestARecordThatWasReadCanBePutBack(t *testing.T) {
	n := mustNode(t)
	read := n.get(t, "/version/known").Body.String()
	answer := n.send(t, http.MethodPut, "/version/known", read)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	answer = n.send(t, http.MethodPut, "/version/known", read)
	requireProblem(t, answer, http.StatusPreconditionFailed, "revision_mismatch")
	require.Equal(t, `"32768"`, answer.Header().Get("ETag"))

	read = n.get(t, "/version/known").Body.String()
	requireProblem(t, n.send(t, http.MethodPut, "/version/known", read, "If-Match", `"1"`), http.StatusBadRequest, "invalid_request")
	require.Equal(t, http.StatusOK, n.send(t, http.MethodPut, "/version/known", read, "If-Match", `"1", "32768"`).Code)
	read = n.get(t, "/version/known").Body.String()
	require.Equal(t, http.StatusOK, n.send(t, http.MethodPut, "/version/known", read, "If-Match", "*").Code)

	record := mustDecode[model.VersionDB](t, n.get(t, "/version/known"))
	item := `{"op":"update","id":"known","versionNo":"9","platform":"linux","revision":` + mustJSON(t, record.Revision) + `}`
	batch := mustDecode[controller.BatchAnswer](t, n.send(t, http.MethodPost, batchPath, batchOf(false, item, item)))
	require.Equal(t, http.StatusOK, batch.Results[0].Status)
	require.Equal(t, http.StatusPreconditionFailed, batch.Results[1].Status)
}

// Editors put a byte order mark before a text, and some clients leave out the hyphen of UTF-8.
func TestBodiesAsEditorsAndClientsWriteThem(t *testing.T) {
	n := mustNode(t)
	require.Equal(t, http.StatusCreated, n.send(t, http.MethodPost, "/version", "\xef\xbb\xbf"+`{"id":"a","versionNo":"1","platform":"p"}`).Code)
	require.Equal(t, http.StatusOK, n.send(t, http.MethodPost, batchPath, "\xef\xbb\xbf"+batchOf(true, createItem("b"))).Code)
	for i, charset := range []string{"utf8", "UTF8", "utf-8", `"UTF-8"`} {
		answer := n.send(t, http.MethodPost, "/version", `{"id":"c`+mustJSON(t, i)+`","versionNo":"1","platform":"p"}`, "Content-Type", "application/json; charset="+charset)
		require.Equal(t, http.StatusCreated, answer.Code, charset)
	}
	answer := n.send(t, http.MethodPost, "/version", `{}`, "Content-Type", "application/json; charset=latin1")
	require.Contains(t, requireProblem(t, answer, http.StatusUnsupportedMediaType, "unsupported_media_type").Detail, "UTF-8")
}
