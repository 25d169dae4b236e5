package controller_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
)

// Two version numbers are compared as the scheme says, and as natural has it when none is named.
func TestCompareVersions(t *testing.T) {
	n := mustNode(t)
	for query, want := range map[string]controller.Comparison{
		"a=1.9&b=1.10":                           {Order: -1, Scheme: "natural"},
		"a=1.0.0-rc11&b=1.0.0-rc7":               {Order: 1, Scheme: "natural"},
		"a=1.0.0-rc11&b=1.0.0-rc7&scheme=semver": {Order: -1, Scheme: "semver"},
		"a=v1.2.3&b=1.2.3":                       {Order: 0, Scheme: "natural"},
		"a=1.0.0%2B9&b=1.0.0%2B10&scheme=pub":    {Order: -1, Scheme: "pub"},
		"a=1.0%20beta&b=1.0":                     {Order: -1, Scheme: "natural"},
		"a=1:1.0&b=2.0&scheme=debian&level=none&min_index=3&timeout=1s": {Order: 1, Scheme: "debian"},
	} {
		answer := n.get(t, "/version/compare?"+query)
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		requireLabels(t, answer, "7")
		require.Equal(t, want, mustDecode[controller.Comparison](t, answer), query)
	}
	require.JSONEq(t, `{"order":-1,"scheme":"natural"}`, n.get(t, "/version/compare?a=1.9&b=1.10").Body.String())
}

// What cannot be compared is refused in words that show what can.
func TestACompareThatIsRefusedShowsARightOne(t *testing.T) {
	n := mustNode(t)
	for query, words := range map[string]string{
		"a=1.9":                  "b: is required: a version number, such as 1.10.0",
		"a=1.0+1&b=2":            "a: has a blank, which a + stands for in a query; write %2B for a +, as in 1.10.0%2B12, and %20 for a blank",
		"a=1.9&b=2&scheme=npm":   "scheme: must be one of natural, semver, debian, rpm, maven, pypi, nuget, pub, published",
		"a=1.9&b=2&scheme=nugat": "scheme: must be one of",
		"a=1.0.0&b=1.9&scheme=semver": "b: is no version of the scheme semver, which has three numbers without leading zeros, and may go on with -pre.release and +build, " +
			"such as 1.4.0-rc.1",
	} {
		require.Contains(t, requireProblem(t, n.get(t, "/version/compare?"+query), http.StatusBadRequest, "invalid_request").Detail, words)
	}
	long := strings.Repeat("a", 30_000) // over which a scheme may take a second
	require.NotContains(t, requireProblem(t, n.get(t, "/version/compare?scheme=nuget&b=x&a=1.0.0-"+long), http.StatusBadRequest, "invalid_request").Detail, "nuget")
}

// An id whose path is for something else is refused for new records. One of before is still read, under a path in which a letter
// is encoded, and changed as ever.
func TestReservedIDs(t *testing.T) {
	for _, id := range []string{"check", "compare", "history", "latest", "watch"} {
		n := mustNode(t)
		body := fmt.Sprintf(`{"id":%q,"versionNo":"1","platform":"linux"}`, id)
		refused := requireProblem(t, n.send(t, http.MethodPost, "/version", body), http.StatusBadRequest, "invalid_request")
		require.Contains(t, refused.Detail, "such as "+id+"-1")
		batch := mustDecode[controller.BatchAnswer](t, n.send(t, http.MethodPost, "/version/batch", `{"items":[{"op":"create",`+body[1:]+`]}`))
		require.Equal(t, "invalid_request", batch.Results[0].Code)
		require.Contains(t, batch.Results[0].Detail, "items[0].id: must not be check, compare")

		n.service.records[id] = model.VersionDB{ID: id, VersionNo: "0", Platform: "linux", Revision: 4096}
		found := n.get(t, "/version/"+everyByteEncoded(id))
		require.Equal(t, http.StatusOK, found.Code)
		require.Equal(t, id, mustDecode[model.VersionDB](t, found).ID)
		require.Equal(t, http.StatusOK, n.send(t, http.MethodPut, "/version/"+id, `{"versionNo":"2","platform":"linux"}`).Code)
		require.Equal(t, http.StatusNoContent, n.send(t, http.MethodDelete, "/version/"+id, "").Code)
	}
}
