package controller_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
)

const firstRevision = `"28672"` // of the record "known": log index 7

func TestAddVersion(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, "/version", `{"id":"libstdc++6","versionNo":"14.2.0","platform":"linux/amd64"}`)
	require.Equal(t, http.StatusCreated, answer.Code)
	require.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	require.Equal(t, `"32768"`, answer.Header().Get("ETag"))
	require.Equal(t, "/version/libstdc++6", answer.Header().Get("Location"))
	requireLabels(t, answer, "8")
	require.Equal(t, model.VersionDB{ID: "libstdc++6", VersionNo: "14.2.0", Platform: "linux/amd64", Revision: 32768}, mustDecode[model.VersionDB](t, answer))
	require.Equal(t, http.StatusOK, n.get(t, answer.Header().Get("Location")).Code)
}

// Whatever id was created is found under the Location of the answer, and under the id as any client
// encodes it.
func TestIDsSurviveThePath(t *testing.T) {
	n := mustNode(t)
	for _, id := range []string{"a", "libstdc++6", "a b", "100%", "a%2Fb", "%", "ü", "版本", "a?b#c", `a"b\c`, "a;b&c=d", "...", "~", "a:b@c", "{id}", "*",
		"@scope/pkg", "github.com/go-sql-driver/mysql", "registry.example.com/team/app", "/", "/a", "a/", "a//b", "a/%2F"} {
		answer := n.send(t, http.MethodPost, "/version", mustJSON(t, map[string]string{"id": id, "versionNo": "1", "platform": "p"}))
		require.Equal(t, http.StatusCreated, answer.Code, answer.Body.String())
		for _, path := range []string{answer.Header().Get("Location"), "/version/" + everyByteEncoded(id), "/version/" + url.PathEscape(id)} {
			found := n.get(t, path)
			require.Equal(t, http.StatusOK, found.Code, path)
			require.Equal(t, id, mustDecode[model.VersionDB](t, found).ID, path)
		}
		require.Equal(t, http.StatusNoContent, n.send(t, http.MethodDelete, "/version/"+everyByteEncoded(id), "").Code)
	}
}

func everyByteEncoded(id string) string {
	var path strings.Builder
	for _, b := range []byte(id) {
		fmt.Fprintf(&path, "%%%02x", b)
	}
	return path.String()
}

// The longest fields that the rules allow are taken.
func TestLongestFields(t *testing.T) {
	n := mustNode(t)
	body := map[string]string{"id": strings.Repeat("é", 64), "versionNo": strings.Repeat("版", 64), "platform": strings.Repeat("😀", 64)}
	require.Equal(t, http.StatusCreated, n.send(t, http.MethodPost, "/version", mustJSON(t, body)).Code)
}

// Escapes in JSON mean the characters they stand for.
func TestEscapedCharactersAreTaken(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, "/version", `{"\u0069d":"\u00fc\ud83d\ude00\\u0041","versionNo":"1\"","platform":"a\/b"}`)
	require.Equal(t, http.StatusCreated, answer.Code, answer.Body.String())
	record := mustDecode[model.VersionDB](t, answer)
	require.Equal(t, `ü😀\u0041`, record.ID)
	require.Equal(t, "a/b", record.Platform)
}

func TestContentTypesThatAreTaken(t *testing.T) {
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", `Application/JSON;charset="UTF-8"`} {
		n := mustNode(t)
		answer := n.send(t, http.MethodPost, "/version", `{"id":"a","versionNo":"1","platform":"p"}`, "Content-Type", contentType)
		require.Equal(t, http.StatusCreated, answer.Code, contentType)
	}
}

// A client whose request lost against another learns the revision that won.
func TestConflictsCarryTheCurrentRevision(t *testing.T) {
	n := mustNode(t)
	exists := n.send(t, http.MethodPost, "/version", `{"id":"known","versionNo":"1","platform":"p"}`)
	requireProblem(t, exists, http.StatusConflict, "already_exists")
	require.Equal(t, firstRevision, exists.Header().Get("ETag"))

	stale := n.send(t, http.MethodPut, "/version/known", `{"versionNo":"1","platform":"p"}`, "If-Match", `"1"`)
	requireProblem(t, stale, http.StatusPreconditionFailed, "revision_mismatch")
	require.Equal(t, firstRevision, stale.Header().Get("ETag"))

	stale = n.send(t, http.MethodDelete, "/version/known", "", "If-Match", `"1"`)
	requireProblem(t, stale, http.StatusPreconditionFailed, "revision_mismatch")
	require.Equal(t, firstRevision, stale.Header().Get("ETag"))
}

func TestUpdateVersion(t *testing.T) {
	for name, header := range map[string][]string{
		"unconditional": nil,
		"revision":      {"If-Match", firstRevision},
		"any":           {"If-Match", "*"},
	} {
		t.Run(name, func(t *testing.T) {
			n := mustNode(t)
			answer := n.send(t, http.MethodPut, "/version/known", `{"id":"known","versionNo":"2.0.0","platform":"linux"}`, header...)
			require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
			require.Equal(t, `"32768"`, answer.Header().Get("ETag"))
			requireLabels(t, answer, "8")
			require.Equal(t, "2.0.0", mustDecode[model.VersionDB](t, answer).VersionNo)
		})
	}
}

func TestDeleteVersion(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodDelete, "/version/known", "", "If-Match", firstRevision)
	require.Equal(t, http.StatusNoContent, answer.Code)
	require.Empty(t, answer.Body.String())
	requireLabels(t, answer, "8")
	requireProblem(t, n.get(t, "/version/known"), http.StatusNotFound, "not_found")
}

func TestGetVersionByID(t *testing.T) {
	n := mustNode(t)
	answer := n.get(t, "/version/known")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, firstRevision, answer.Header().Get("ETag"))
	requireLabels(t, answer, "7")
	require.JSONEq(t, `{"id":"known","versionNo":"1.0.0","platform":"linux","revision":28672}`, answer.Body.String())
	require.Equal(t, model.ReadOptions{Level: model.LevelLinearizable}, n.service.opts)

	require.Equal(t, http.StatusOK, n.get(t, "/version/known?level=none&min_index=7&timeout=1s").Code)
	require.Equal(t, model.ReadOptions{Level: model.LevelNone, MinIndex: 7}, n.service.opts)
	requireProblem(t, n.get(t, "/version/known?min_index=8&timeout=1ms"), http.StatusGatewayTimeout, "timeout")
}

func TestIfNoneMatch(t *testing.T) {
	n := mustNode(t)
	for tags, status := range map[string]int{
		firstRevision:                      http.StatusNotModified,
		"W/" + firstRevision:               http.StatusNotModified,
		`"1", ` + firstRevision:            http.StatusNotModified,
		`"a,b",W/"x" , ` + firstRevision:   http.StatusNotModified,
		"*":                                http.StatusNotModified,
		`"1"`:                              http.StatusOK,
		`"abc", W/"0"`:                     http.StatusOK,
		`"` + firstRevision[1:4] + `", ""`: http.StatusOK,
	} {
		answer := n.do(t, request{method: http.MethodGet, path: "/version/known", header: map[string]string{"If-None-Match": tags}})
		require.Equal(t, status, answer.Code, tags)
		require.Equal(t, firstRevision, answer.Header().Get("ETag"))
		requireLabels(t, answer, "7")
		require.Equal(t, status == http.StatusNotModified, answer.Body.Len() == 0)
	}
	answer := n.do(t, request{method: http.MethodGet, path: "/version/missing", header: map[string]string{"If-None-Match": "*"}})
	requireProblem(t, answer, http.StatusNotFound, "not_found")
}

// Following nextCursor from the first page shows every record once, in the order of the ids.
func TestListVersions(t *testing.T) {
	n := mustNode(t)
	want := []string{"known"}
	for i := range 10 {
		id := fmt.Sprintf("p+%02d", i)
		want = append(want, id)
		require.Equal(t, http.StatusCreated, n.send(t, http.MethodPost, "/version", mustJSON(t, map[string]string{"id": id, "versionNo": "1", "platform": "mac"})).Code)
	}
	var got []string
	path := "/version?limit=3"
	for {
		answer := n.get(t, path)
		require.Equal(t, http.StatusOK, answer.Code)
		requireLabels(t, answer, "17")
		page := mustDecode[controller.VersionList](t, answer)
		for _, record := range page.Items {
			got = append(got, record.ID)
		}
		if page.NextCursor == "" {
			break
		}
		path = "/version?limit=3&cursor=" + page.NextCursor
		require.Len(t, page.Items, 3)
	}
	require.Equal(t, want, got)
	require.Len(t, mustDecode[controller.VersionList](t, n.get(t, "/version?platform=mac")).Items, 10)
	require.JSONEq(t, `{"items":[]}`, n.get(t, "/version?platform=none").Body.String())

	// The beginning of the ids narrows as well, alone and with the platform, over all pages.
	require.Len(t, mustDecode[controller.VersionList](t, n.get(t, "/version?prefix=p%2B0")).Items, 10)
	page := mustDecode[controller.VersionList](t, n.get(t, "/version?prefix=p%2B0&platform=mac&limit=9"))
	require.Len(t, page.Items, 9)
	page = mustDecode[controller.VersionList](t, n.get(t, "/version?prefix=p%2B0&platform=mac&limit=9&cursor="+page.NextCursor))
	require.Equal(t, "p+09", page.Items[0].ID)
	require.JSONEq(t, `{"items":[]}`, n.get(t, "/version?prefix=known&platform=mac").Body.String())
}

// The timeout bounds what the service does: 5s when none is given. It is the context's deadline, of reads and writes.
func TestTimeoutBoundsTheService(t *testing.T) {
	n := mustNode(t)
	for query, want := range map[string]time.Duration{"": 5 * time.Second, "?timeout=60s": time.Minute, "?timeout=1m0s": time.Minute, "?timeout=1.5s": 1500 * time.Millisecond} {
		for _, ask := range []func() int{
			func() int { return n.get(t, "/version/known"+query).Code },
			func() int { return n.get(t, "/version"+query).Code },
			func() int {
				return n.send(t, http.MethodPut, "/version/known"+query, `{"versionNo":"2","platform":"linux"}`).Code
			},
		} {
			began := time.Now()
			require.Equal(t, http.StatusOK, ask())
			deadline, bounded := n.service.ctx.Deadline()
			require.True(t, bounded)
			require.WithinRange(t, deadline, began.Add(want), time.Now().Add(want))
		}
	}
}
