package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// behindProxy opens the console where a proxy serves the node below a path of its own: every address is relative.
func behindProxy(t *testing.T, c *cluster.Cluster) {
	node, err := url.Parse(fmt.Sprintf("http://127.0.0.1:%d", c.Nodes[1].Port))
	require.NoError(t, err)
	proxy := http.NewServeMux()
	proxy.Handle("/tools/registry/", http.StripPrefix("/tools/registry", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(node)
		r.Out.Host = r.In.Host
	}}))
	server := httptest.NewServer(proxy)
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
	w.see("node2 tells")
	require.Equal(t, "1", mustGet(t, c, "behind/a-proxy").VersionNo)
}
