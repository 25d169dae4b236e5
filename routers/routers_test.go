package routers_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/routers"
	"versiond/test/contract"
)

// idleService is a service that routing alone never asks for more.
type idleService struct{ controller.VersionService }

func (idleService) NodeID() string       { return "node1" }
func (idleService) AppliedIndex() uint64 { return 1 }

func mustController(t *testing.T) *controller.VersionController {
	t.Helper()
	v, err := controller.NewVersionController(idleService{}, slog.New(slog.DiscardHandler), controller.Options{})
	require.NoError(t, err)
	return v
}

// idlePeerService is the same for what only nodes ask.
type idlePeerService struct{ controller.PeerService }

func mustPeerController(t *testing.T) *controller.PeerController {
	t.Helper()
	p, err := controller.NewPeerController(idlePeerService{}, "")
	require.NoError(t, err)
	return p
}

// Every route of both ports is described, and everything described is routed there.
func TestEveryRouteIsDescribed(t *testing.T) {
	v := mustController(t)
	for port, engine := range map[contract.Port]*gin.Engine{
		contract.Public: routers.SetUpVersionRouter(v), contract.Peer: routers.SetUpRaftRouter(v, mustPeerController(t)),
	} {
		var routed []string
		for _, route := range engine.Routes() {
			routed = append(routed, route.Method+" "+regexp.MustCompile(`[:*](\w+)`).ReplaceAllString(route.Path, "{$1}"))
		}
		require.ElementsMatch(t, routed, described(port), port)
	}
}

func described(port contract.Port) (operations []string) {
	for path, item := range contract.Load().Paths.Map() {
		for method, operation := range item.Operations() {
			if contract.On(port, operation) {
				operations = append(operations, method+" "+path)
			}
		}
	}
	return operations
}

// Generated clients name their methods after the operation IDs, which therefore must differ; those that are
// no second way to the same have the names of the handlers.
func TestOperationIDs(t *testing.T) {
	seen := map[string]string{}
	for path, item := range contract.Load().Paths.Map() {
		for method, operation := range item.Operations() {
			require.Empty(t, seen[operation.OperationID], "%s %s", method, path)
			seen[operation.OperationID] = path
			require.Len(t, operation.Tags, 1)
			require.Equal(t, strings.HasPrefix(path, "/version"), operation.Tags[0] == "version", path)
		}
	}
	for _, handler := range []string{"AddVersion", "DeleteVersion", "UpdateVersion", "GetVersionByID", "ListVersions", "JoinRaftCluster",
		"DeleteFatalPeer", "GetLeaderPortAddress", "TransferLeadership", "GetPeers", "LeaderHandleCommand", "Livez", "Readyz", "Status", "Term", "ReadIndex", "Admit", "Backup", "Restore"} {
		require.Contains(t, seen, handler)
	}
}

// "Try it out" goes to the node that the page came from, also behind a proxy's path, only if the description
// names no host; and the peer port, which the page cannot reach, comes last.
func TestDescriptionNamesNoHost(t *testing.T) {
	d := contract.Load()
	require.Len(t, d.Servers, 1)
	require.Equal(t, ".", d.Servers[0].URL)
	require.Equal(t, "version", d.Tags[0].Name)
	require.Equal(t, "peer", d.Tags[len(d.Tags)-1].Name)
}

// The page and all it loads are served, and name no path from the root: a proxy may serve the node below its own.
func TestAPIPage(t *testing.T) {
	engine := contract.Handler(t, contract.Public, routers.SetUpVersionRouter(mustController(t)))
	page := get(engine, "/swagger/index.html")
	require.Contains(t, page.Header().Get("Content-Type"), "text/html")
	require.Equal(t, "frame-ancestors 'none'", page.Header().Get("Content-Security-Policy"), "another site must not have its buttons pressed")
	loads := regexp.MustCompile(`(?:src|href)="(?:\./)?([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.GreaterOrEqual(t, len(loads), 4)
	for _, file := range loads {
		require.False(t, strings.HasPrefix(file[1], "/"), file[1])
		answer := get(engine, "/swagger/"+file[1])
		require.Equal(t, http.StatusOK, answer.Code, file[1])
		require.NotEmpty(t, answer.Body.Bytes())
	}
	require.Contains(t, get(engine, "/swagger/swagger-initializer.js").Body.String(), `"../openapi.yaml"`)
	require.Equal(t, "index.html", get(engine, "/swagger/").Header().Get("Location"))
	require.Contains(t, get(engine, "/openapi.yaml").Body.String(), "\nopenapi: 3.1.0\n")
}

func get(engine http.Handler, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}
