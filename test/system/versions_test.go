package system_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// versionCase is what somebody registers, asks and is told.
type versionCase struct {
	records []map[string]any
	// withdrawn is the id of a record that is withdrawn before anybody asks.
	withdrawn string
	// latest is the version number that is the newest of all records.
	latest string
	checks []versionCheck
}

type versionCheck struct {
	// current and client are the client's; ids are asked for, or all.
	current, client, ids string
	update, latest       string
	ahead, unsupported   bool
}

func rec(versionNo string, details ...any) map[string]any {
	r := map[string]any{"versionNo": versionNo, "platform": "any"}
	for i := 0; i < len(details); i += 2 {
		r[details[i].(string)] = details[i+1]
	}
	return r
}

func inScheme(scheme string, versionNos ...string) (records []map[string]any) {
	for _, v := range versionNos {
		records = append(records, rec(v, "scheme", scheme))
	}
	return records
}

// versionCases are what teams get wrong when they write this by hand. The ids of a case are its name and a number from 0.
var versionCases = map[string]versionCase{
	"rc11 after rc7":                {records: []map[string]any{rec("1.0.0-rc11"), rec("1.0.0-rc7")}, latest: "1.0.0-rc11"},
	"rc11 is a word in semver":      {records: inScheme("semver", "1.0.0-rc11", "1.0.0-rc7"), latest: "1.0.0-rc7"},
	"the release after rc":          {records: []map[string]any{rec("1.0.0-rc11"), rec("1.0.0"), rec("1.0.0-rc7")}, latest: "1.0.0"},
	"the release after rc, semver":  {records: inScheme("semver", "1.0.0-rc11", "1.0.0", "1.0.0-rc7"), latest: "1.0.0"},
	"numbers, not digits":           {records: []map[string]any{rec("2.9.5"), rec("2.10.14")}, latest: "2.10.14"},
	"ten comes after nine":          {records: []map[string]any{rec("5.10")}, latest: "5.10", checks: []versionCheck{{current: "5.9", update: "optional", latest: "5.10"}, {current: "5.10", update: "none", latest: "5.10"}}},
	"epochs of Debian":              {records: inScheme("debian", "2.0", "1:1.0"), latest: "1:1.0"},
	"tildes of Debian":              {records: inScheme("debian", "1.0~rc1", "1.0"), latest: "1.0"},
	"security updates of Debian":    {records: inScheme("debian", "2.36-9+deb12u10", "2.36-9+deb12u9"), latest: "2.36-9+deb12u10"},
	"revisions of Debian":           {records: inScheme("debian", "1.0-rc1", "1.0"), latest: "1.0-rc1"},
	"CalVer, then SemVer":           {records: []map[string]any{rec("2021.12.14"), rec("6.14.0")}, latest: "2021.12.14"},
	"CalVer that was withdrawn":     {records: []map[string]any{rec("2021.12.14"), rec("6.14.0")}, withdrawn: "0", latest: "6.14.0", checks: []versionCheck{{current: "2021.12.14", update: "downgrade", latest: "6.14.0"}}},
	"builds, natural":               {records: []map[string]any{rec("1.0.0+2")}, latest: "1.0.0+2", checks: []versionCheck{{current: "1.0.0+1", update: "optional", latest: "1.0.0+2"}}},
	"builds, pub":                   {records: inScheme("pub", "1.0.0+2"), latest: "1.0.0+2", checks: []versionCheck{{current: "1.0.0+1", update: "optional", latest: "1.0.0+2"}}},
	"builds, semver":                {records: inScheme("semver", "1.0.0+2"), latest: "1.0.0+2", checks: []versionCheck{{current: "1.0.0+1", update: "none", latest: "1.0.0+2"}}},
	"a v before the number":         {records: []map[string]any{rec("v1.2.3")}, latest: "v1.2.3", checks: []versionCheck{{current: "1.2.3", update: "none", latest: "v1.2.3"}}},
	"a v before the client's":       {records: []map[string]any{rec("1.10.0")}, latest: "1.10.0", checks: []versionCheck{{current: "v1.9.0", update: "optional", latest: "1.10.0"}}},
	"four numbers of Windows":       {records: []map[string]any{rec("10.0.19045.3570"), rec("10.0.19045.10000")}, latest: "10.0.19045.10000"},
	"four numbers, nuget":           {records: inScheme("nuget", "17.2.0", "17.2.0.191"), latest: "17.2.0.191", checks: []versionCheck{{current: "17.2.0", update: "optional", latest: "17.2.0.191"}}},
	"zeros at the end":              {records: []map[string]any{rec("1.0.0.0")}, latest: "1.0.0.0", checks: []versionCheck{{current: "1.0", update: "none", latest: "1.0.0.0"}}},
	"letters behind numbers":        {records: []map[string]any{rec("8.0.4"), rec("8.0.4c"), rec("8.0.4a")}, latest: "8.0.4c"},
	"beta of a number":              {records: []map[string]any{rec("3.8.0b1"), rec("3.8.0")}, latest: "3.8.0"},
	"a revision, natural":           {records: []map[string]any{rec("1.2.3"), rec("1.2.3-4")}, latest: "1.2.3-4"},
	"a revision, semver":            {records: inScheme("semver", "1.2.3", "1.2.3-4"), latest: "1.2.3"},
	"a canary who may have both":    {records: []map[string]any{rec("2.0.0-beta.3"), rec("2.0.0")}, latest: "2.0.0", checks: []versionCheck{{current: "1.0.0", update: "optional", latest: "2.0.0"}}},
	"a canary who may have one":     {records: []map[string]any{rec("1.4.0-beta.1"), rec("1.3.1")}, latest: "1.4.0-beta.1", checks: []versionCheck{{current: "1.3.1-rc.1", ids: "1", update: "optional", latest: "1.3.1"}}},
	"a rollout to nobody":           {records: []map[string]any{rec("8.0.0", "rolloutPercent", 0), rec("7.0.0", "rolloutPercent", 100)}, latest: "8.0.0", checks: []versionCheck{{current: "2.0.0", client: "c1", update: "optional", latest: "7.0.0"}, {current: "2.0.0", update: "optional", latest: "7.0.0"}, {current: "8.0.0", client: "c1", update: "none", latest: "7.0.0", ahead: true}}},
	"a rollout that was taken back": {records: []map[string]any{rec("8.0.0", "rolloutPercent", 0), rec("7.0.0")}, withdrawn: "0", latest: "7.0.0", checks: []versionCheck{{current: "8.0.0", update: "downgrade", latest: "7.0.0"}}},
	"a minimum":                     {records: []map[string]any{rec("7.0.0", "minVersionNo", "3.0.0")}, latest: "7.0.0", checks: []versionCheck{{current: "2.0.0", update: "mandatory", latest: "7.0.0", unsupported: true}, {current: "3.0.0", update: "optional", latest: "7.0.0"}}},
	"a mandatory one in between":    {records: []map[string]any{rec("3.0.0"), rec("2.0.0", "mandatory", true)}, latest: "3.0.0", checks: []versionCheck{{current: "1.0.0", update: "mandatory", latest: "3.0.0"}, {current: "2.0.0", update: "optional", latest: "3.0.0"}}},
	"a mandatory one, withdrawn":    {records: []map[string]any{rec("3.0.0"), rec("2.0.0", "mandatory", true)}, withdrawn: "1", latest: "3.0.0", checks: []versionCheck{{current: "1.0.0", update: "optional", latest: "3.0.0"}}},
	"a floor":                       {records: []map[string]any{rec("3.0.0", "fromVersionNo", "2.0.0"), rec("2.0.0")}, latest: "3.0.0", checks: []versionCheck{{current: "1.0.0", update: "optional", latest: "2.0.0"}, {current: "2.0.0", update: "optional", latest: "3.0.0"}}},
	"hashes of commits":             {records: inScheme("published", "9fceb02", "0a1b2c3"), latest: "0a1b2c3", checks: []versionCheck{{current: "9fceb02", update: "optional", latest: "0a1b2c3"}, {current: "0a1b2c3", update: "none", latest: "0a1b2c3"}, {current: "fffffff", update: "optional", latest: "0a1b2c3"}}},
	"all withdrawn":                 {records: []map[string]any{rec("1.0.0")}, withdrawn: "0", checks: []versionCheck{{current: "1.0.0", update: "none"}}},
}

// Which version is the newest, and whether a client must update, is told alike by every node. If this fails, a fleet gets an
// older version, or none.
func TestFleetsAreToldWhichVersionIsTheNewest(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		ask := asker{t: t, n: c.Followers()[0]}
		for name, each := range versionCases {
			ask.register(name, each)
		}
		for _, n := range c.Nodes {
			ask.n = n
			for name, each := range versionCases {
				ask.requireCase(name, each)
			}
		}
		require.Equal(t, http.StatusNotFound, ask.get("/version/latest?prefix=nobody", nil))
		require.Equal(t, http.StatusNotFound, ask.get("/version/check?id=nobody&current=1", nil))
		require.Equal(t, http.StatusBadRequest, ask.get("/version/latest?platform=any", nil), "of several schemes")
		require.Equal(t, http.StatusNoContent, ask.get("/version/check?none=204&current=5.10&prefix="+url.QueryEscape("ten comes after nine"), nil))
	})
}

// Two builds that end in the wrong order must not take the newer one's place, however often they try at once.
func TestOnlyANewerVersionTakesARecordsPlace(t *testing.T) {
	c := cluster.Start(t, mode{}.config())
	ask := asker{t: t, n: c.Nodes[0]}
	status, answer := ask.send(http.MethodPost, "/version", map[string]any{"id": "app", "versionNo": "1.0.0", "platform": "any", "scheme": "semver"})
	require.Equal(t, http.StatusCreated, status, string(answer))
	var builds sync.WaitGroup
	for i := range 20 {
		builds.Go(func() {
			status, answer, err := c.Nodes[i%3].Client.Send(t.Context(), false, http.MethodPut, "/version/app?newer=true",
				map[string]string{"Content-Type": "application/json"}, fmt.Sprintf(`{"versionNo":"1.%d.0","platform":"any"}`, i))
			assert.NoError(t, err)
			assert.Contains(t, []int{http.StatusOK, http.StatusConflict}, status, string(answer))
		})
	}
	builds.Wait()
	var got struct{ VersionNo string }
	require.Equal(t, http.StatusOK, ask.get("/version/app", &got))
	require.Equal(t, "1.19.0", got.VersionNo)

	for body, want := range map[string]int{
		`{"versionNo":"1.19.0","platform":"any"}`:                 http.StatusConflict,
		`{"versionNo":"1.2.0","platform":"any"}`:                  http.StatusConflict,
		`{"versionNo":"two","platform":"any"}`:                    http.StatusBadRequest,
		`{"versionNo":"1.20.0","platform":"any","revision":4096}`: http.StatusPreconditionFailed,
	} {
		status, answer, err := c.Nodes[1].Client.Send(t.Context(), false, http.MethodPut, "/version/app?newer=true", map[string]string{"Content-Type": "application/json"}, body)
		require.NoError(t, err)
		require.Equal(t, want, status, string(answer))
	}
	status, answer, err := c.Nodes[1].Client.Send(t.Context(), false, http.MethodPut, "/version/nobody?newer=true", map[string]string{"Content-Type": "application/json"}, `{"versionNo":"1","platform":"any"}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, status, string(answer))
}

// asker asks one node.
type asker struct {
	t *testing.T
	n *cluster.Node
}

func (a asker) send(method, path string, body map[string]any) (status int, answer []byte) {
	a.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(a.t, err)
	status, answer, err = a.n.Client.Send(a.t.Context(), false, method, path, map[string]string{"Content-Type": "application/json"}, string(text))
	require.NoError(a.t, err)
	return status, answer
}

func (a asker) register(name string, each versionCase) {
	a.t.Helper()
	for i, record := range each.records {
		id := fmt.Sprintf("%s/%d", name, i)
		record = maps.Clone(record) // the other mode registers it, too
		record["id"] = id
		status, answer := a.send(http.MethodPost, "/version", record)
		require.Equal(a.t, http.StatusCreated, status, string(answer))
		if each.withdrawn == fmt.Sprint(i) {
			status, answer = a.send(http.MethodPut, "/version/"+url.PathEscape(id), map[string]any{"versionNo": record["versionNo"], "platform": "any", "withdrawn": true})
			require.Equal(a.t, http.StatusOK, status, string(answer))
		}
	}
}

func (a asker) get(path string, into any) int {
	a.t.Helper()
	status, answer, err := a.n.Client.Send(a.t.Context(), false, http.MethodGet, path, nil, "")
	require.NoError(a.t, err)
	if into != nil {
		require.NoError(a.t, json.Unmarshal(answer, into), string(answer))
	}
	return status
}

func (a asker) requireCase(name string, each versionCase) {
	a.t.Helper()
	prefix := "prefix=" + url.QueryEscape(name+"/")
	var latest struct{ VersionNo string }
	status := a.get("/version/latest?"+prefix, &latest)
	require.Equal(a.t, each.latest, latest.VersionNo, name)
	require.Equal(a.t, each.latest == "", status == http.StatusNotFound, name)
	for _, check := range each.checks {
		which := prefix
		if check.ids != "" {
			which = "id=" + url.QueryEscape(name+"/"+check.ids)
		}
		if check.client != "" {
			which += "&client=" + check.client
		}
		var got struct {
			Update           string
			Latest           struct{ VersionNo string }
			Supported, Ahead bool
		}
		require.Equal(a.t, http.StatusOK, a.get("/version/check?"+which+"&current="+url.QueryEscape(check.current), &got), name)
		require.Equal(a.t, check.update, got.Update, "%s: %+v", name, check)
		require.Equal(a.t, check.latest, got.Latest.VersionNo, "%s: %+v", name, check)
		require.Equal(a.t, check.ahead, got.Ahead, "%s: %+v", name, check)
		require.Equal(a.t, check.unsupported, !got.Supported, "%s: %+v", name, check)
	}
}
