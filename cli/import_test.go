package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/client"
)

// Each form is seen for what it is, and says by line what is wrong.
func TestImportForms(t *testing.T) {
	for name, each := range map[string]struct {
		text   string
		args   []string
		code   int
		stdout string
		stderr []string
		has    string // what list prints of it then
	}{
		"dpkg": {
			text: "dpkg+1:amd64\t1:2.0~rc1-1+b1\tamd64\ndpkg+2\t1\tall\n", stdout: "2 created, 0 updated, 0 unchanged, 0 refused\n",
			has: "dpkg+1:amd64  1:2.0~rc1-1+b1  amd64\ndpkg+2        1               all\n",
		},
		"two columns": {text: "two\t1\n", args: []string{"--platform", "all"}, stdout: "1 created", has: "two  1        all\n"},
		"two columns alone": {
			text: "two-alone\t1\n", code: exitOther, stdout: "1 refused", stderr: []string{"line 1: has 2 columns", "--platform"}, has: "",
		},
		"csv": {
			text: "csv-1,1,linux\ncsv-2,\"2,0\",linux\ncsv-3,3\n\"csv-4,1,x\n", code: exitOther, stdout: "2 created, 0 updated, 0 unchanged, 2 refused\n",
			stderr: []string{"line 3: has 2 columns and not 3 (id,versionNo,platform)", "line 4: "}, has: "csv-1  1        linux\ncsv-2  2,0      linux\n",
		},
		"csv with a header": {
			text: "platform,id,versionNo,rolloutPercent,attributes,mandatory\nios,head-1,1,20,\"{\"\"url\"\":\"\"x\"\"}\",true\nios,head-2,1,many,,\nios,head-3,1,,,\n",
			code: exitOther, stdout: "2 created", stderr: []string{"line 3: rolloutPercent: must be a number"}, has: "head-1  1        ios       mandatory rollout=20% url=x\nhead-3  1        ios\n",
		},
		"json": {
			text: `{"id":"json-1","versionNo":"1","platform":"x","minVersionNo":"0.5"}` + "\n\n" + `{"id":"json-2","version":"1"}` + "\n" + `{"id":3}` + "\n7\n" + `{"id":"json 4 ","versionNo":"1","platform":"x"}`,
			code: exitOther, stdout: "1 created, 0 updated, 0 unchanged, 4 refused\n",
			stderr: []string{`line 3: unknown field "version"`, "line 4: id: must not be a number", "line 5: is a number", `line 6: "json 4 ": id: must not`},
			has:    "json-1  1        x         minVersionNo=0.5\n",
		},
		"nothing, as list prints it": {text: "[]\n", stdout: "0 created, 0 updated, 0 unchanged, 0 refused\n"},
		"nothing":                    {stdout: "0 created, 0 updated, 0 unchanged, 0 refused\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := command(t, each.text, append([]string{"import"}, each.args...)...)
			require.Equal(t, each.code, r.code, r.stderr)
			require.Contains(t, r.stdout, each.stdout)
			for _, words := range each.stderr {
				require.Contains(t, r.stderr, words)
			}
			prefix, _, _ := strings.Cut(name, " ")
			if name == "csv with a header" {
				prefix = "head"
			}
			if name == "two columns alone" {
				prefix = "two-alone"
			}
			if each.has != "" {
				require.Contains(t, must(t, "list", "--prefix", prefix), each.has)
			}
		})
	}
	r := command(t, "id,version\na,1\n", "import")
	require.Equal(t, exitOther, r.code)
	require.Contains(t, r.stderr, `no column is called "version"; these are: id, versionNo`)
}

// Programs for Windows put a mark before a text that is no part of the first record.
func TestImportPassesOverAByteOrderMark(t *testing.T) {
	for form, text := range map[string]string{
		"csv":    "marked-csv,1,linux\n",
		"quoted": "\"marked-quoted\",1,linux\r\n",
		"header": "id,versionNo,platform\nmarked-header,1,linux\n",
		"jsonl":  `{"id":"marked-jsonl","versionNo":"1","platform":"linux"}` + "\n",
		"dpkg":   "marked-dpkg\t1\tlinux\n",
	} {
		r := command(t, "\xef\xbb\xbf"+text, "import")
		require.Equal(t, "1 created, 0 updated, 0 unchanged, 0 refused\n", r.stdout, "%s: %s", form, r.stderr)
		require.Contains(t, must(t, "get", "marked-"+form), "platform   linux\n")
	}
	require.Equal(t, "0 created, 0 updated, 0 unchanged, 0 refused\n", command(t, "\xef\xbb\xbf", "import").stdout)
	r := command(t, "\xff\xfea\x00,\x001\x00,\x00l\x00\n\x00", "import")
	require.Equal(t, exitOther, r.code)
	require.Contains(t, r.stderr, "UTF-8")
}

// What is there and is the same is left alone, what differs is changed in what the file says, or kept.
func TestImportOfWhatIsThere(t *testing.T) {
	must(t, "create", "there-1", "1", "linux", "--min-version", "0.5")
	must(t, "create", "there-2", "1", "linux")
	file := "there-1,2,linux\nthere-2,1,linux\nthere-3,1,linux\n"
	require.Equal(t, "1 would be created, 1 would be updated, 1 unchanged, 0 refused\n", command(t, file, "import", "--dry-run").stdout)
	require.Equal(t, exitNotFound, command(t, "", "get", "there-3").code, "a dry run does nothing")
	require.Equal(t, "1 created, 0 updated, 1 unchanged, 1 kept as they are, 0 refused\n", command(t, file, "import", "--existing", "keep").stdout)
	require.Equal(t, "0 created, 1 updated, 2 unchanged, 0 refused\n", command(t, file, "import").stdout)
	require.Equal(t, "0 created, 0 updated, 3 unchanged, 0 refused\n", command(t, file, "import").stdout)
	require.Contains(t, must(t, "get", "there-1"), "minVersionNo  0.5")
	require.Equal(t, "0 created, 1 updated, 2 unchanged, 0 refused\n", command(t, file, "import", "--replace").stdout)
	require.NotContains(t, must(t, "get", "there-1"), "minVersionNo")
	require.Equal(t, "0 created, 2 updated, 0 unchanged, 0 refused\n", command(t, "there-3,1.1,x\nthere-3,1.2,x\n", "import").stdout, "the last line of an id wins")
	require.Contains(t, must(t, "get", "there-3"), "1.2")
	var counts importer
	require.NoError(t, json.Unmarshal([]byte(command(t, file, "import", "-o", "json").stdout), &counts))
	require.Equal(t, 1, counts.Updated)
}

// A withdrawn record that a file says is not is one again, and an import that says "unchanged" of it lies.
func TestImportTakesBackWhatTheFileDenies(t *testing.T) {
	full := []string{"1.0.0", "ios", "--scheme", "semver", "--min-version", "0.5.0", "--mandatory", "--withdrawn", "--rollout", "5", "--attribute", "url=x"}
	for name, each := range map[string]struct{ file, left string }{
		"csv": {
			"id,versionNo,platform,mandatory,withdrawn,attributes,rolloutPercent\nback-csv,1.0.0,ios,0,false,{},\n",
			`"scheme":"semver","minVersionNo":"0.5.0","rolloutPercent":5`,
		},
		"json": {
			`{"id":"back-json","versionNo":"1.0.0","platform":"ios","mandatory":false,"withdrawn":false,"rolloutPercent":null,"minVersionNo":"","attributes":{}}`,
			`"scheme":"semver"`,
		},
		"newer": {`{"id":"back-newer","versionNo":"1.0.1","platform":"ios","withdrawn":false,"scheme":null}`, `"minVersionNo":"0.5.0","mandatory":true,"rolloutPercent":5,"attributes":{"url":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, append([]string{"create", "back-" + name}, full...)...)
			require.Contains(t, command(t, each.file, "import", "--dry-run").stdout, "1 would be updated")
			require.Equal(t, "0 created, 1 updated, 0 unchanged, 0 refused\n", command(t, each.file, "import").stdout)
			require.Regexp(t, `"platform":"ios",`+regexp.QuoteMeta(each.left)+`}\n$`, must(t, "export", "--prefix", "back-"+name))
			require.Equal(t, "0 created, 0 updated, 1 unchanged, 0 refused\n", command(t, each.file, "import").stdout)
		})
	}
}

// What is exported is imported unchanged, in both forms and from a list.
func TestExportAndImportAgree(t *testing.T) {
	must(t, "create", "round-1", "1.0.0", "ios", "--scheme", "semver", "--min-version", "0.5.0", "--from-version", "0.1.0", "--mandatory", "--rollout", "0", "--withdrawn", "--attribute", `url=https://x/"q",1`, "--attribute", "notes=a b\n\tc\n")
	require.Regexp(t, `^ID .*\nround-1 .* notes="a b\\n\\tc\\n" url=https://x/"q",1\n$`, must(t, "list", "--prefix", "round-1"), "a record is a line")
	must(t, "create", "round-2", "2", "linux")
	before := must(t, "list", "--prefix", "round-", "-o", "json")
	for _, form := range []string{"jsonl", "csv"} {
		file := filepath.Join(t.TempDir(), form)
		require.Contains(t, command(t, "", "export", file, "--format", form, "--prefix", "round-").stderr, "wrote 2 records")
		must(t, "delete", "round-1", "round-2")
		require.Equal(t, "2 created, 0 updated, 0 unchanged, 0 refused\n", must(t, "import", file))
		require.Equal(t, withoutRevisions(t, before), withoutRevisions(t, must(t, "list", "--prefix", "round-", "-o", "json")), form)
	}
	require.Equal(t, "0 created, 0 updated, 2 unchanged, 0 refused\n", command(t, before, "import").stdout)
}

func withoutRevisions(t *testing.T, list string) (records []client.Record) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(list), &records))
	for i := range records {
		records[i].Revision = 0
	}
	return records
}

// An import that is broken off says so, and when it is run again it goes on: nothing is written twice.
func TestAnImportGoesOnWhereItEnded(t *testing.T) {
	target, err := url.Parse(urls[0])
	require.NoError(t, err)
	var batches atomic.Int64
	pass := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && batches.Add(1) == 2 {
			w.Header().Set("Retry-After", "60")
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"code":"node_removed","detail":"this node was removed"}`))
			return
		}
		pass.ServeHTTP(w, r)
	}))
	defer front.Close()
	var file strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&file, "goes-on-%04d\t1\tamd64\n", i)
	}
	r := commandOn(t, []string{front.URL}, file.String(), "import")
	require.Equal(t, exitUnavailable, r.code)
	require.Contains(t, r.stderr, "broken off in lines 1001 to 2000, after 1000 created, 0 updated, 0 unchanged, 0 refused; run it again to go on\n")
	r = commandOn(t, []string{front.URL}, file.String(), "import")
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "1500 created, 0 updated, 1000 unchanged, 0 refused\n", r.stdout)
	require.Equal(t, 2500, strings.Count(must(t, "list", "--prefix", "goes-on-", "-o", "json"), `"id"`))
}
