package controller_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/routers"
	"versiond/test/contract"
)

const (
	ownHost       = "node1.example"
	trustedOrigin = "https://registry.example.com"
)

// node is a fake service behind both real engines, and what they logged.
type node struct {
	service      *fakeService
	public, peer http.Handler
	// engines are those of both ports.
	engines [2]*gin.Engine
	log     *bytes.Buffer
}

func mustNode(t testing.TB) *node {
	t.Helper()
	n := &node{service: newFakeService(), log: &bytes.Buffer{}}
	v, err := controller.NewVersionController(n.service, slog.New(slog.NewTextHandler(n.log, nil)), named)
	require.NoError(t, err)
	p, err := controller.NewPeerController(n.service, "", ownHost)
	require.NoError(t, err)
	n.hold(t, routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p))
	return n
}

// hold holds every answer of both engines against the description of the API.
func (n *node) hold(t testing.TB, public, peer *gin.Engine) {
	n.engines = [2]*gin.Engine{public, peer}
	n.public, n.peer = contract.Handler(t, contract.Public, public), contract.Handler(t, contract.Peer, peer)
}

// named are the names by which tests call a node.
var named = controller.Options{Hosts: []string{ownHost}, Origins: []string{trustedOrigin}}

// request is a request as it goes over the wire.
type request struct {
	method, path string
	header       map[string]string
	body         string
}

func (n *node) do(t testing.TB, r request) *httptest.ResponseRecorder {
	t.Helper()
	return serve(t, n.public, r)
}

func serve(t testing.TB, handler http.Handler, r request) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(r.method, "http://"+ownHost+":8081"+r.path, strings.NewReader(r.body))
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, req)
	return recorder
}

func (n *node) get(t testing.TB, path string) *httptest.ResponseRecorder {
	t.Helper()
	return n.do(t, request{method: http.MethodGet, path: path})
}

func (n *node) send(t testing.TB, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := request{method: method, path: path, body: body, header: map[string]string{"Content-Type": "application/json"}}
	for i := 0; i < len(header); i += 2 {
		r.header[header[i]] = header[i+1]
	}
	return n.do(t, r)
}

func mustDecode[T any](t testing.TB, answer *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	decoder := json.NewDecoder(answer.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&value))
	return value
}

// requireLabels checks the headers that every answer carries.
func requireLabels(t testing.TB, answer *httptest.ResponseRecorder, index string) {
	t.Helper()
	require.Equal(t, "node1", answer.Header().Get("X-Versiond-Node"))
	require.Equal(t, index, answer.Header().Get("X-Versiond-Index"))
	require.NotEmpty(t, answer.Header().Get("X-Request-ID"))
}

// requireProblem checks that the answer is a complete problem document.
func requireProblem(t testing.TB, answer *httptest.ResponseRecorder, status int, code string) controller.Problem {
	t.Helper()
	require.Equal(t, status, answer.Code, answer.Body.String())
	require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
	problem := mustDecode[controller.Problem](t, answer)
	require.Equal(t, code, problem.Code)
	require.Equal(t, status, problem.Status)
	require.Equal(t, "about:blank", problem.Type)
	require.Equal(t, http.StatusText(status), problem.Title)
	require.NotEmpty(t, problem.Detail)
	require.Equal(t, answer.Header().Get("X-Request-ID"), problem.RequestID)
	return problem
}
