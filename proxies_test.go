package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
)

const registry = "registry.example.com"

// startBehind starts three nodes that know the registry's name and, with proxyHost, the one that a proxy
// calls them, and trust pages of the registry then.
func startBehind(t *testing.T, proxyHost string) []config.Node {
	t.Helper()
	cfg := configured(t, 3)
	cfg.Server.TrustedHosts = []string{registry}
	if proxyHost != "" {
		cfg.Server.TrustedHosts = append(cfg.Server.TrustedHosts, proxyHost)
		cfg.Server.TrustedOrigins = []string{"http://" + registry}
	}
	s := start(t, cfg)
	t.Cleanup(func() { s.mustStop(t) })
	mustBeReady(t, cfg.Raft.Nodes)
	return cfg.Raft.Nodes
}

// documented returns the example of docs/proxies.md for a proxy, with the ports of these nodes, and the free
// port on which it listens.
func documented(t *testing.T, proxy string, nodes []config.Node) (example string, port int) {
	t.Helper()
	page, err := os.ReadFile("docs/proxies.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```" + proxy + "\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, block, "there is no example for %s", proxy)
	port = cluster.FreePort(t)
	example = strings.Replace(string(block[1]), "8080", strconv.Itoa(port), 1)
	for i, n := range nodes {
		example = strings.Replace(example, strconv.Itoa(8081+i), strconv.Itoa(n.Port), 1)
	}
	return example, port
}

// browse sends what a page of the registry sends, or a program when the origin is empty.
func browse(t *testing.T, port int, method, path, body string, header ...string) (status int, answer http.Header, code, detail string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:"+strconv.Itoa(port)+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Host, r.Close = registry, true
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	var problem struct{ Code, Detail string }
	require.NotEmpty(t, got.Header.Get("X-Versiond-Node"), "clients take an answer without it for somebody else's")
	if strings.HasPrefix(got.Header.Get("Content-Type"), "application/problem+json") {
		require.NoError(t, json.Unmarshal(data, &problem))
	}
	return got.StatusCode, got.Header, problem.Code, problem.Detail
}

const fromRegistry = "http://" + registry

// requireRegistry writes, reads and changes a record as the registry's page does, and is refused as another
// site's page.
func requireRegistry(t *testing.T, port int) {
	t.Helper()
	status, _, code, _ := browse(t, port, http.MethodPost, "/version", sampleRecord, "Origin", fromRegistry)
	require.Equal(t, http.StatusCreated, status, code)
	status, header, _, _ := browse(t, port, http.MethodGet, "/version/libstdc++6", "", "Accept-Encoding", "gzip")
	require.Equal(t, http.StatusOK, status)
	require.Regexp(t, `^"\d+"$`, header.Get("ETag"), "a weak tag would never match")
	status, _, code, _ = browse(t, port, http.MethodPut, "/version/libstdc++6", `{"versionNo":"13","platform":"linux"}`, "Origin", fromRegistry, "If-Match", header.Get("ETag"))
	require.Equal(t, http.StatusOK, status, code)
	_, _, code, _ = browse(t, port, http.MethodDelete, "/version/libstdc++6", "", "Origin", "http://evil.example")
	require.Equal(t, "cross_site", code)
	status, _, code, _ = browse(t, port, http.MethodDelete, "/version/libstdc++6", "", "Origin", fromRegistry)
	require.Equal(t, http.StatusNoContent, status, code)
	_, _, code, detail := browse(t, port, http.MethodPost, "/restore", "no backup", "Origin", fromRegistry)
	require.Equal(t, "unsupported_media_type", code, detail)
	requireSlashesPassed(t, port)
}

// requireSlashesPassed writes, reads and deletes records whose ids a proxy might take apart.
func requireSlashesPassed(t *testing.T, port int) {
	t.Helper()
	for _, id := range []string{"@scope/pkg", "github.com/go-sql-driver/mysql", "a//b++", "/a/", "a%2Fb"} {
		status, header, code, _ := browse(t, port, http.MethodPost, "/version", `{"id":"`+id+`","versionNo":"1","platform":"linux"}`)
		require.Equal(t, http.StatusCreated, status, code)
		require.Equal(t, "/version/"+url.PathEscape(id), header.Get("Location"))
		status, _, code, _ = browse(t, port, http.MethodGet, header.Get("Location"), "")
		require.Equal(t, http.StatusOK, status, "%s: %s", id, code)
		status, _, code, _ = browse(t, port, http.MethodDelete, header.Get("Location"), "")
		require.Equal(t, http.StatusNoContent, status, "%s: %s", id, code)
	}
	status, _, _, detail := browse(t, port, http.MethodGet, "/version/@scope/pkg", "")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, detail, "/version/@scope%2Fpkg")
}

// The examples of docs/proxies.md do what the page says: the registry's own page works through the proxy,
// other pages do not, and a tag that was read can be sent back.
func TestDocumentedProxies(t *testing.T) {
	nodes := startBehind(t, "")
	t.Run("nginx", func(t *testing.T) {
		example, port := documented(t, "nginx", nodes)
		servers.Nginx(t, example, port)
		requireRegistry(t, port)
	})
	t.Run("haproxy", func(t *testing.T) {
		example, port := documented(t, "haproxy", nodes)
		servers.HAProxy(t, example, port)
		requireRegistry(t, port)
	})
	t.Run("nginx that rewrites Host", func(t *testing.T) {
		port := rewriting(t, nodes)
		_, _, code, detail := browse(t, port, http.MethodPost, "/version", sampleRecord, "Origin", fromRegistry)
		require.Equal(t, "unknown_host", code)
		require.Contains(t, detail, `"versiond"`)
	})
	t.Run("nginx that compresses", func(t *testing.T) { requireWeakTagsExplained(t, nodes) })
}

// rewriting runs the example without the line that passes on the browser's Host, and returns its port.
func rewriting(t *testing.T, nodes []config.Node) (port int) {
	t.Helper()
	const hostLine = "proxy_set_header Host $http_host;"
	example, port := documented(t, "nginx", nodes)
	require.Contains(t, example, hostLine)
	servers.Nginx(t, strings.Replace(example, hostLine, "", 1), port)
	return port
}

// A proxy that puts its own name into Host makes the registry's own page one of another site. The nodes can be
// told of both names.
func TestAProxyThatRewritesHostNeedsTwoSettings(t *testing.T) {
	requireRegistry(t, rewriting(t, startBehind(t, "versiond")))
}

// requireWeakTagsExplained: nginx makes every tag weak when it compresses. Whoever sends one back is told what
// to send instead, and that is taken.
func requireWeakTagsExplained(t *testing.T, nodes []config.Node) {
	t.Helper()
	example, port := documented(t, "nginx", nodes)
	require.Contains(t, example, "gzip off;")
	servers.Nginx(t, strings.Replace(example, "gzip off;", "gzip on; gzip_types application/json; gzip_min_length 1;", 1), port)
	status, _, code, _ := browse(t, port, http.MethodPost, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, code)
	_, header, _, _ := browse(t, port, http.MethodGet, "/version/libstdc++6", "", "Accept-Encoding", "gzip")
	weak := header.Get("ETag")
	require.Regexp(t, `^W/"\d+"$`, weak)

	status, header, _, detail := browse(t, port, http.MethodDelete, "/version/libstdc++6", "", "If-Match", weak)
	require.Equal(t, http.StatusPreconditionFailed, status)
	require.NotEmpty(t, header.Get("ETag"))
	strong := regexp.MustCompile(`send If-Match: ("\d+")`).FindStringSubmatch(detail)
	require.NotNil(t, strong, detail)
	_, header, _, _ = browse(t, port, http.MethodGet, "/version/libstdc++6", "", "Accept-Encoding", "identity")
	require.Equal(t, header.Get("ETag"), strong[1], "how else to get it")
	status, _, code, _ = browse(t, port, http.MethodDelete, "/version/libstdc++6", "", "If-Match", strong[1])
	require.Equal(t, http.StatusNoContent, status, code)
}
