package controller_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/naming"
	"versiond/peer"
	"versiond/routers"
)

// The secrets share a word, so that one search finds any leak of them.
const (
	secretWord    = "s3cret"
	readSecret    = secretWord + "-of-the-reader"
	writeSecret   = secretWord + "-of-the-writer"
	adminSecret   = secretWord + "-of-the-admin"
	clusterSecret = secretWord + "-of-the-cluster"
)

// mustGuardedNode is a node with a token for each role and a cluster secret that logs everything.
func mustGuardedNode(t *testing.T) *node {
	t.Helper()
	n := &node{service: newFakeService(), log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	v, err := controller.NewVersionController(n.service, logger, controller.Options{Access: controller.Access{Tokens: []controller.Token{
		{Name: "reader", Role: naming.RoleRead, Secret: readSecret},
		{Name: "writer", Role: naming.RoleWrite, Secret: writeSecret},
		{Name: "admin", Role: naming.RoleAdmin, Secret: adminSecret},
		{Name: "odd", Role: "owner", Secret: secretWord + "-of-nobody"},
	}}})
	require.NoError(t, err)
	p, err := controller.NewPeerController(n.service, clusterSecret)
	require.NoError(t, err)
	n.hold(t, routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p))
	return n
}

// Apps ask for updates before they have a token, from pages that are no node's. Everything else stays as it is.
func TestPublicQuestionsNeedNoToken(t *testing.T) {
	n := &node{service: newFakeService(), log: &bytes.Buffer{}}
	v, err := controller.NewVersionController(n.service, slog.New(slog.DiscardHandler), controller.Options{
		Access:          controller.Access{Tokens: []controller.Token{{Name: "reader", Role: naming.RoleRead, Secret: readSecret}}},
		PublicQuestions: true,
	})
	require.NoError(t, err)
	p, err := controller.NewPeerController(n.service, clusterSecret)
	require.NoError(t, err)
	n.hold(t, routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p))
	for _, path := range []string{"/version/latest?id=known", "/version/check?id=known&current=0.9", "/version/compare?a=1&b=2"} {
		answer := n.get(t, path)
		require.Equal(t, http.StatusOK, answer.Code, path)
		require.Equal(t, "*", answer.Header().Get("Access-Control-Allow-Origin"), path)
		require.Contains(t, answer.Header().Get("Access-Control-Expose-Headers"), "X-Versiond-Index")
	}
	require.Equal(t, http.StatusBadRequest, n.get(t, "/version/latest").Code)
	for _, path := range []string{"/version/known", "/version", "/peers"} {
		answer := n.get(t, path)
		require.Equal(t, http.StatusUnauthorized, answer.Code, path)
		require.Empty(t, answer.Header().Get("Access-Control-Allow-Origin"), path)
	}
	require.Equal(t, http.StatusUnauthorized, n.send(t, http.MethodPost, "/version", "{}").Code)
	require.Empty(t, mustGuardedNode(t).get(t, "/version/latest?id=known").Header().Get("Access-Control-Allow-Origin"))
}

// neededRoles has the role that every public route takes at least; "" is for everybody.
var neededRoles = map[string]naming.Role{
	"POST /version":            naming.RoleWrite,
	"POST /version/batch":      naming.RoleWrite,
	"GET /version":             naming.RoleRead,
	"GET /version/:id":         naming.RoleRead,
	"GET /version/compare":     naming.RoleRead,
	"GET /version/:id/history": naming.RoleRead,
	"GET /version/watch":       naming.RoleRead,
	"GET /version/latest":      naming.RoleRead,
	"GET /version/check":       naming.RoleRead,
	"PUT /version/:id":         naming.RoleWrite,
	"DELETE /version/:id":      naming.RoleWrite,
	"POST /join/:id/:addr":     naming.RoleAdmin,
	"GET /join/:id/:addr":      naming.RoleAdmin,
	"DELETE /peer/:id":         naming.RoleAdmin,
	"GET /peers":               naming.RoleRead,
	"GET /leader":              naming.RoleRead,
	"POST /leader/:id":         naming.RoleAdmin,
	"GET /backup":              naming.RoleAdmin,
	"POST /restore":            naming.RoleAdmin,
	"GET /metrics":             naming.RoleRead,
	"GET /whoami":              naming.RoleRead,
	"GET /":                    "",
	"GET /console/*file":       "",
	"GET /livez":               "",
	"GET /readyz":              "",
	"GET /openapi.yaml":        "",
	"GET /swagger/*file":       "",
}

var secrets = map[naming.Role]string{"": "", naming.RoleRead: readSecret, naming.RoleWrite: writeSecret, naming.RoleAdmin: adminSecret}

// rank orders the roles independently of the code under test.
var rank = map[naming.Role]int{"": 0, naming.RoleRead: 1, naming.RoleWrite: 2, naming.RoleAdmin: 3}

// Every route against every role. A route that is new has to be entered above: whoever adds one decides
// who may use it.
func TestRolesAndRoutes(t *testing.T) {
	n := mustGuardedNode(t)
	for _, route := range n.engines[0].Routes() {
		name := strings.Replace(route.Method, "HEAD", "GET", 1) + " " + route.Path
		needed, known := neededRoles[name]
		require.True(t, known, "who may use %s?", name)
		for role, secret := range secrets {
			t.Run(name+" as "+string(role), func(t *testing.T) {
				answer := n.do(t, request{method: route.Method, path: concrete(route.Path), header: bearing(secret)})
				requireAccess(t, answer, role, needed)
			})
		}
	}
}

// concrete fills in the parameters of a route. What it asks for need not exist: an answer about it shows
// that the request was let through.
func concrete(path string) string {
	path = strings.Replace(path, "/compare", "/compare?a=1&b=2", 1)
	return strings.NewReplacer("/latest", "/latest?id=known", "/watch", "/watch?wait=1ms", "/check", "/check?id=known&current=1", ":id", "node1", ":addr", "127.0.0.1:7009", "*file", "index.html").Replace(path)
}

// A client that was handed a token can ask what it is good for before it tries.
func TestWhoAmI(t *testing.T) {
	n := mustGuardedNode(t)
	answer := n.do(t, request{method: http.MethodGet, path: "/whoami", header: bearing(writeSecret)})
	require.JSONEq(t, `{"name":"writer","role":"write"}`, answer.Body.String())
	require.JSONEq(t, `{"role":"admin"}`, mustNode(t).get(t, "/whoami").Body.String())
}

func bearing(secret string) map[string]string {
	if secret == "" {
		return nil
	}
	return map[string]string{"Authorization": "Bearer " + secret}
}

func requireAccess(t *testing.T, answer *httptest.ResponseRecorder, role, needed naming.Role) {
	t.Helper()
	switch {
	case rank[role] >= rank[needed]:
		require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, answer.Code, answer.Body.String())
	case role == "":
		requireUnauthorized(t, answer)
	default:
		problem := requireProblem(t, answer, http.StatusForbidden, "forbidden")
		require.Contains(t, problem.Detail, "of the role "+string(needed))
	}
}

func requireUnauthorized(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	problem := requireProblem(t, answer, http.StatusUnauthorized, "unauthorized")
	require.Equal(t, "Bearer", answer.Header().Get("WWW-Authenticate"))
	require.NotContains(t, problem.Detail, secretWord)
}

// A header that is not exactly a known secret behind Bearer is as good as none.
func TestBadAuthorization(t *testing.T) {
	for name, header := range map[string][]string{
		"empty":            {""},
		"scheme alone":     {"Bearer"},
		"empty secret":     {"Bearer "},
		"secret alone":     {readSecret},
		"another scheme":   {"Basic " + readSecret},
		"no blank":         {"Bearer" + readSecret},
		"unknown secret":   {"Bearer " + secretWord + "-of-a-stranger"},
		"beginning of one": {"Bearer " + readSecret[:len(readSecret)-1]},
		"more than one":    {"Bearer " + readSecret + "x"},
		"other case":       {"Bearer " + strings.ToUpper(readSecret)},
		"in quotes":        {`Bearer "` + readSecret + `"`},
		"the cluster's":    {"Bearer " + clusterSecret},
		"its name":         {"Bearer reader"},
		"two headers":      {"Bearer " + readSecret, "Bearer " + adminSecret},
		"two in one":       {"Bearer " + readSecret + ", Bearer " + adminSecret},
	} {
		t.Run(name, func(t *testing.T) {
			n := mustGuardedNode(t)
			req := httptest.NewRequest(http.MethodGet, "/version/known", nil)
			req.Header["Authorization"] = header
			answer := httptest.NewRecorder()
			n.public.ServeHTTP(answer, req)
			requireUnauthorized(t, answer)
		})
	}
}

// RFC 9110: the name of a scheme is in any case.
func TestSchemeInAnyCase(t *testing.T) {
	for _, scheme := range []string{"bearer ", "BEARER ", "Bearer  "} {
		answer := mustGuardedNode(t).do(t, request{method: http.MethodGet, path: "/version/known", header: map[string]string{"Authorization": scheme + readSecret}})
		require.Equal(t, http.StatusOK, answer.Code)
	}
}

// A role that this release does not know may do nothing, rather than everything.
func TestUnknownRoleMayDoNothing(t *testing.T) {
	answer := mustGuardedNode(t).do(t, request{method: http.MethodGet, path: "/version/known", header: bearing(secretWord + "-of-nobody")})
	requireProblem(t, answer, http.StatusForbidden, "forbidden")
}

// A refused write must not have happened.
func TestRefusedWriteChangesNothing(t *testing.T) {
	n := mustGuardedNode(t)
	index, records, members := n.service.snapshot()
	for _, secret := range []string{"", readSecret} {
		for _, r := range []request{
			{method: http.MethodDelete, path: "/version/known", header: bearing(secret)},
			{method: http.MethodDelete, path: "/peer/node1", header: bearing(secret)},
			{method: http.MethodGet, path: "/join/node9/127.0.0.1:7009", header: bearing(secret)},
		} {
			require.GreaterOrEqual(t, n.do(t, r).Code, http.StatusBadRequest)
		}
	}
	indexAfter, recordsAfter, membersAfter := n.service.snapshot()
	require.Equal(t, index, indexAfter)
	require.Equal(t, records, recordsAfter)
	require.Equal(t, members, membersAfter)
}

// The log says who sent what, and never with which secret.
func TestLogNamesTheToken(t *testing.T) {
	n := mustGuardedNode(t)
	for _, secret := range []string{readSecret, adminSecret, secretWord + "-of-a-stranger"} {
		n.do(t, request{method: http.MethodDelete, path: "/version/known", header: bearing(secret)})
	}
	lines := strings.Split(strings.TrimSpace(n.log.String()), "\n")
	require.Len(t, lines, 3)
	require.Contains(t, lines[0], "status=403")
	require.Contains(t, lines[0], "token=reader")
	require.Contains(t, lines[1], "status=204")
	require.Contains(t, lines[1], "token=admin")
	require.Contains(t, lines[2], "status=401")
	require.NotContains(t, lines[2], "token=")
	require.NotContains(t, n.log.String(), secretWord)
}

// What changes a record tells whose token it came with, and when; what only changes the cluster is no change of a record.
func TestWritesSayWhereTheyComeFrom(t *testing.T) {
	n, bare := mustGuardedNode(t), mustNode(t)
	for _, write := range []struct{ method, path, body string }{
		{http.MethodPost, "/version", `{"id":"a","versionNo":"1","platform":"p"}`},
		{http.MethodPut, "/version/known", `{"versionNo":"2","platform":"p"}`},
		{http.MethodPut, "/version/known?newer=true", `{"versionNo":"3","platform":"p"}`},
		{http.MethodPost, "/version/batch", `{"items":[{"op":"delete","id":"a"}]}`},
		{http.MethodDelete, "/version/known", ""},
	} {
		before := time.Now().UnixMilli()
		answer := n.send(t, write.method, write.path, write.body, "Authorization", "Bearer "+writeSecret)
		require.Less(t, answer.Code, 300, answer.Body.String())
		require.Equal(t, "writer", n.service.origin.By, write.path)
		require.GreaterOrEqual(t, n.service.origin.At, before)
		require.LessOrEqual(t, n.service.origin.At, time.Now().UnixMilli())

		require.Less(t, bare.send(t, write.method, write.path, write.body).Code, 300)
		require.Empty(t, bare.service.origin.By)
		require.NotZero(t, bare.service.origin.At)
	}
}

// Without tokens nothing is asked for, and what a client sends all the same does no harm.
func TestWithoutTokensEverybodyMay(t *testing.T) {
	answer := mustNode(t).do(t, request{method: http.MethodDelete, path: "/version/known", header: bearing(readSecret)})
	require.Equal(t, http.StatusNoContent, answer.Code)
}

// Every route of the peer port needs the cluster's secret; a user's token does not open it.
func TestPeerPortNeedsTheSecret(t *testing.T) {
	n := mustGuardedNode(t)
	for _, route := range n.engines[1].Routes() {
		r := request{method: route.Method, path: concrete(route.Path)}
		for name, header := range map[string]map[string]string{
			"nothing":     nil,
			"wrong":       {peer.SecretHeader: clusterSecret + "x"},
			"beginning":   {peer.SecretHeader: clusterSecret[:8]},
			"empty":       {peer.SecretHeader: ""},
			"admin token": {peer.SecretHeader: adminSecret, "Authorization": "Bearer " + adminSecret},
			"as a token":  bearing(clusterSecret),
		} {
			r.header = header
			problem := requireProblem(t, serve(t, n.peer, r), http.StatusUnauthorized, "unauthorized")
			require.NotContains(t, problem.Detail, secretWord, name)
		}
		r.header = map[string]string{peer.SecretHeader: clusterSecret}
		require.NotEqual(t, http.StatusUnauthorized, serve(t, n.peer, r).Code, route.Path)
	}
	require.NotContains(t, n.log.String(), secretWord)
}

// A node that shows a secret to one that has none was set up for another cluster.
func TestSecretWhereNoneIsKnown(t *testing.T) {
	answer := serve(t, mustNode(t).peer, request{method: http.MethodGet, path: "/status", header: map[string]string{peer.SecretHeader: clusterSecret}})
	requireProblem(t, answer, http.StatusUnauthorized, "unauthorized")
}
