// Package docs_test holds what people read against the program: settings, routes and commands.
package docs_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/controller"
	"versiond/routers"
)

// manual has the pages that are there in two languages: the English one and the Chinese one of each.
var manual = [][2]string{
	{"../README.md", "../README.zh-CN.md"},
	{"api.md", "zh-CN/api.md"},
	{"peer-port.md", "zh-CN/peer-port.md"},
	{"configuration.md", "zh-CN/configuration.md"},
	{"operations.md", "zh-CN/operations.md"},
	{"cli.md", "zh-CN/cli.md"},
	{"versions.md", "zh-CN/versions.md"},
	{"proxies.md", "zh-CN/proxies.md"},
	{"sql.md", "zh-CN/sql.md"},
	{"console.md", "zh-CN/console.md"},
}

const (
	english = iota
	chinese
)

// inEach runs a test on the pages of each language, together.
func inEach(t *testing.T, test func(t *testing.T, text string)) {
	t.Helper()
	for language, name := range []string{"English", "Chinese"} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			for _, page := range manual {
				text.WriteString(mustRead(t, page[language]) + "\n")
			}
			test(t, text.String())
		})
	}
}

// nothing stands in a table cell that has no value.
const nothing = "—"

// TestSettingsTable breaks when a setting is missing from the page of a language, was renamed or has another
// default, and when that page has a setting that does not exist.
func TestSettingsTable(t *testing.T) {
	want := map[string][]string{}
	for _, s := range config.Settings() {
		want[s.Key] = []string{cell(s.Env), cell(flagOf(s)), cell(s.Default)}
	}
	inEach(t, func(t *testing.T, text string) { require.Equal(t, want, settingRows(t, text)) })
}

func cell(value string) string {
	if value == "" {
		return nothing
	}
	return "`" + value + "`"
}

// settingRow is a row of five cells whose first is a key: no other table of the manual has that form.
var settingRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$")

func settingRows(t *testing.T, text string) map[string][]string {
	t.Helper()
	rows := map[string][]string{}
	for _, row := range settingRow.FindAllStringSubmatch(text, -1) {
		require.NotContains(t, rows, row[1], "a setting is listed twice")
		require.NotEqual(t, nothing, row[5], "%s has no meaning", row[1])
		rows[row[1]] = row[2:5]
	}
	return rows
}

// TestCommandsAgree breaks when a command, or what it prints, was changed in one language alone. What follows a # behind a
// command, or four blanks behind what it prints, is for readers and may differ.
func TestCommandsAgree(t *testing.T) {
	for _, page := range manual {
		text, translated := mustRead(t, page[english]), mustRead(t, page[chinese])
		for _, shown := range []func(text string) []string{commands, printed, proxySettings} {
			require.Equal(t, shown(text), shown(translated), page[chinese])
		}
	}
}

var proxyBlock = regexp.MustCompile("(?s)```(?:nginx|haproxy)\n.*?```")

// proxySettings returns what the pages tell proxies. proxies_test.go takes it from the English one.
func proxySettings(text string) []string { return proxyBlock.FindAllString(text, -1) }

var explained = regexp.MustCompile(`([^\s#])\s{4,}.*$`)

// printed returns what the pages print below commands. Comments above one, behind a blank line, are for readers alone.
func printed(text string) []string {
	var lines []string
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		below := false
		for line := range strings.SplitSeq(block[1], "\n") {
			if isComment := strings.HasPrefix(line, "#"); isComment && below {
				lines = append(lines, explained.ReplaceAllString(line, "$1"))
			} else {
				below = !isComment && line != ""
			}
		}
	}
	return lines
}

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	comment    = regexp.MustCompile(`(^|\s+)#\s.*$`)
)

// commands returns every line of the shell blocks without its comment.
func commands(text string) []string {
	var lines []string
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		for line := range strings.SplitSeq(block[1], "\n") {
			if line = strings.TrimSpace(comment.ReplaceAllString(line, "")); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// consoleFiles is what the page at / loads; nobody asks for it by hand.
const consoleFiles = "/console/*file"

// TestEveryRouteIsShown breaks when a route has no curl line in the manual, or a curl line asks for
// something that is not there.
func TestEveryRouteIsShown(t *testing.T) {
	public, peer := routesOf(t)
	inEach(t, func(t *testing.T, text string) {
		asked := map[route]bool{}
		for _, request := range curls(t, text) {
			routes := public
			if strings.HasPrefix(request.port, "70") {
				routes = peer
			}
			i := slices.IndexFunc(routes, request.hits)
			require.GreaterOrEqual(t, i, 0, "nothing answers %s %s on port %s", request.method, request.path, request.port)
			asked[routes[i]] = true
		}
		// What the peer port has in common with the public one is shown there.
		for _, r := range slices.Concat(public, onlyIn(peer, public)) {
			if r.path == consoleFiles {
				continue
			}
			require.True(t, asked[r], "there is no curl line for %s %s", r.method, r.path)
		}
	})
}

// tableRow has a request, or several, in its first cell.
var tableRow = regexp.MustCompile("(?m)^\\| `[A-Z]+ /[^|]*\\|")

// TestRoutesAreListed breaks when a public route is missing from the tables of a README or of docs/api.md.
func TestRoutesAreListed(t *testing.T) {
	public, _ := routesOf(t)
	for _, page := range slices.Concat(manual[0][:], manual[1][:]) {
		rows := strings.Join(tableRow.FindAllString(mustRead(t, page), -1), "\n")
		for _, r := range public {
			if r.method == "GET" && strings.HasPrefix(r.path, "/join/") || r.path == consoleFiles {
				continue // it is listed with POST
			}
			name := "`" + r.method + " " + strings.Replace(r.path, "*file", "index.html", 1)
			require.Regexp(t, regexp.QuoteMeta(name)+"[`?]", rows, page)
		}
	}
}

// route is a method and a path as gin knows it. Two routes of one form on both ports are equal.
type route struct{ method, path string }

// request is what one curl line asks for.
type request struct{ method, port, path string }

func (r request) hits(to route) bool {
	pattern := regexp.MustCompile(`:\w+`).ReplaceAllString(to.path, "*")
	if prefix, _, wild := strings.Cut(pattern, "*file"); wild {
		return r.method == to.method && strings.HasPrefix(r.path, prefix)
	}
	matched, err := path.Match(pattern, r.path)
	return err == nil && matched && r.method == to.method
}

func onlyIn(routes, others []route) []route {
	return slices.DeleteFunc(slices.Clone(routes), func(r route) bool { return slices.Contains(others, r) })
}

// stub has a node's id and nothing else: no route is called here.
type stub struct {
	controller.VersionService
	controller.PeerService
}

func (stub) NodeID() string { return "node1" }

func routesOf(t *testing.T) (public, peer []route) {
	t.Helper()
	versions, err := controller.NewVersionController(stub{}, slog.New(slog.DiscardHandler), controller.Options{})
	require.NoError(t, err)
	peers, err := controller.NewPeerController(stub{}, "")
	require.NoError(t, err)
	return routesIn(routers.SetUpVersionRouter(versions)), routesIn(routers.SetUpRaftRouter(versions, peers))
}

func routesIn(engine *gin.Engine) []route {
	var routes []route
	for _, info := range engine.Routes() {
		if info.Method != http.MethodHead { // it goes with GET, and a sentence says so
			routes = append(routes, route{info.Method, info.Path})
		}
	}
	return routes
}

var (
	curlLine   = regexp.MustCompile(`\bcurl [^|]*`)
	curlMethod = regexp.MustCompile(`-X (\w+)`)
	curlTarget = regexp.MustCompile(`localhost:(\d+)(/[^\s'"]*)?`)
)

func curls(t *testing.T, text string) []request {
	t.Helper()
	requests := map[request]bool{}
	for _, line := range commands(text) {
		if line = curlLine.FindString(line); line != "" {
			requests[parseCurl(t, line)] = true
		}
	}
	return slices.Collect(maps.Keys(requests))
}

func parseCurl(t *testing.T, line string) request {
	t.Helper()
	method := "GET"
	if named := curlMethod.FindStringSubmatch(line); named != nil {
		method = named[1]
	} else if strings.Contains(line, " -d ") || strings.Contains(line, " --data") {
		method = "POST"
	}
	target := curlTarget.FindStringSubmatch(line)
	require.NotNil(t, target, "no address in %s", line)
	address, err := url.Parse(target[2])
	require.NoError(t, err, line)
	return request{method: method, port: target[1], path: address.EscapedPath()}
}

func mustRead(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
