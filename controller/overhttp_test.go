package controller_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/test/load/badrequests"
)

// The table holds over a real connection as well, where net/http parses the request line and a
// body that is too large is still being sent when the answer is written.
func TestBadRequestsOverHTTP(t *testing.T) {
	n := mustNode(t)
	server := httptest.NewServer(n.public)
	defer server.Close()
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, c := range badrequests.Public() {
		req, err := http.NewRequest(c.Method, server.URL+c.Path, strings.NewReader(c.Body))
		require.NoError(t, err, c.Name)
		for name, value := range c.Header {
			req.Header.Set(name, value)
		}
		answer, err := client.Do(req)
		require.NoError(t, err, c.Name)
		var problem controller.Problem
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&problem), c.Name)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, c.Status, answer.StatusCode, c.Name)
		require.Equal(t, c.Code, problem.Code, c.Name)
	}
}
