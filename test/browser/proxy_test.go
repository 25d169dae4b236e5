package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// mustProxy serves a node at /tools/registry/.
func mustProxy(t *testing.T, n *cluster.Node) *http.ServeMux {
	t.Helper()
	node, err := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", n.Port))
	require.NoError(t, err)
	proxy := http.NewServeMux()
	proxy.Handle("/tools/registry/", http.StripPrefix("/tools/registry", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(node)
		r.Out.Host = r.In.Host
	}}))
	return proxy
}

// behindProxy opens the console where a proxy serves the node below a path of its own: every address is relative.
func behindProxy(t *testing.T, c *cluster.Cluster) {
	proxy := mustProxy(t, c.Nodes[1])
	var refusal atomic.Int32 // what the proxy answers by itself
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if status := int(refusal.Load()); status != 0 {
			rw.Header().Set("Content-Type", "text/html")
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, "<html><body><h1>No server is available to handle this request.</h1></body></html>")
			return
		}
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)

	w := mustOpenAt(t, server.URL+"/tools/registry/", look{})
	w.enter("token", writeToken+"\n")
	w.see("Checks of node2", "1 node may fail")
	w.view("records")
	w.click("new")
	w.enter("id", "behind/a-proxy")
	w.enter("versionNo", "1")
	w.enter("platform", "p")
	w.click("save")
	w.see("Created behind/a-proxy.")
	w.view("live")
	w.enter("live-prefix", "proxied-\n")
	w.see("node2 tells")
	mustAdd(t, c, "proxied-1")
	w.see("proxied-1")
	refusal.Store(http.StatusServiceUnavailable)
	server.CloseClientConnections()
	w.see("The connection is lost.", "node2 does not answer. Trying again", "What is shown here is as of")
	mustAdd(t, c, "proxied-2")
	refusal.Store(0)
	w.see("proxied-2", "2 changes")
	w.gone("does not answer")
	refusal.Store(http.StatusNotFound)
	server.CloseClientConnections()
	w.until(`document.querySelector("[data-key=again]")`, "what does not pass by itself is said")
	w.see("State not known", "The node refused it (http_404). What is shown here is as of")
	mustAdd(t, c, "proxied-3")
	refusal.Store(0)
	w.click("again")
	w.see("proxied-1", "proxied-3", "3 changes")
	require.Equal(t, "1", mustGet(t, c, "behind/a-proxy").VersionNo)
}

// restoreGivenUp closes the question while a restore is on its way: the node is not to do what somebody has taken back. That a
// backup is of another cluster and wanted all the same is said of one backup, not of the next, and what is shown is of the
// file that was chosen last.
func restoreGivenUp(t *testing.T, c *cluster.Cluster) {
	proxy := mustProxy(t, c.Nodes[1])
	foreign, ended := make(chan string, 2), make(chan struct{})
	proxy.HandleFunc("POST /tools/registry/restore", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		foreign <- r.URL.Query().Get("foreign")
		if r.URL.Query().Has("foreign") {
			<-r.Context().Done()
			close(ended)
			return
		}
		rw.Header().Set("Content-Type", "application/problem+json")
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"code":"invalid_request","errors":[{"field":"foreign","detail":"of another cluster"}]}`)
	})
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	saved := filepath.Join(t.TempDir(), "saved.backup")
	_, content, err := c.Nodes[0].Client.Send(t.Context(), false, http.MethodGet, "/backup", nil, "")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(saved, content, 0o600))

	w := mustOpenAt(t, server.URL+"/tools/registry/", look{})
	w.enter("token", adminToken+"\n")
	w.view("backup")
	w.chooseTwo("restore-file", saved, mustBeOther(t), "arrayBuffer")
	w.see("This is no backup of versiond.")
	w.lookAtFirst()
	w.see("This is no backup of versiond.")
	w.choose("restore-file", saved)
	w.click("restore-go")
	w.enter("word", "restore\n")
	w.see("of another cluster")
	require.Empty(t, <-foreign)
	w.click("restore-foreign")
	w.click("go")
	require.Equal(t, "true", <-foreign)
	w.click("cancel")
	w.see("It was broken off.")
	<-ended
	w.click("restore-go")
	w.until(`document.querySelector("[data-key=restore-foreign]")`, "it is asked anew")
	require.False(t, value[bool](w, `document.querySelector("[data-key=restore-foreign]").checked`))
}
