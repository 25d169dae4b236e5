package routers_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/routers"
	"versiond/test/contract"
)

// The page and each script that it comes to load are served, and name no path from the root: a proxy may serve the node
// below its own.
func TestConsoleIsServed(t *testing.T) {
	engine := contract.Handler(t, contract.Public, routers.SetUpVersionRouter(mustController(t)))
	page := get(engine, "/")
	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Header().Get("Content-Type"), "text/html")
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; ")
	require.NotContains(t, page.Header().Get("Content-Security-Policy"), "unsafe")
	require.NotRegexp(t, `<script>|<style|style=| on\w+=`, page.Body.String(), "the policy keeps it out")

	seen := map[string]bool{}
	var load func(from, file string)
	load = func(from, file string) {
		require.False(t, strings.HasPrefix(file, "/"), "%s loads %s", from, file)
		path := httptest.NewRequest(http.MethodGet, from, nil).URL.JoinPath("..", file).Path
		if seen[path] {
			return
		}
		seen[path] = true
		answer := get(engine, path)
		require.Equal(t, http.StatusOK, answer.Code, path)
		for _, imported := range regexp.MustCompile(`(?m)^import .*from '([^']+)';$`).FindAllStringSubmatch(answer.Body.String(), -1) {
			load(path, imported[1])
		}
	}
	for _, file := range regexp.MustCompile(`(?:src|href)="(console/[^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		load("/index.html", file[1])
	}
	require.Greater(t, len(seen), 10)
	require.Equal(t, "application/problem+json", get(engine, "/console/nothing.js").Header().Get("Content-Type"))
	require.Equal(t, http.StatusNotFound, get(engine, "/console/../web.go").Code)
}

// A browser asks again each time, so that no page of a release of before meets a node of this one, and is sent nothing
// that it has.
func TestConsoleIsSentOnce(t *testing.T) {
	engine := contract.Handler(t, contract.Public, routers.SetUpVersionRouter(mustController(t)))
	for _, path := range []string{"/", "/console/app.js"} {
		first := get(engine, path)
		require.Equal(t, "no-cache", first.Header().Get("Cache-Control"))
		again := httptest.NewRequest(http.MethodGet, path, nil)
		again.Header.Set("If-None-Match", first.Header().Get("ETag"))
		answer := httptest.NewRecorder()
		engine.ServeHTTP(answer, again)
		require.Equal(t, http.StatusNotModified, answer.Code)
		require.Empty(t, answer.Body.Bytes())
	}
}
