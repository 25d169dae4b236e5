package routers_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/docs/swagger"
	"versiond/routers"
)

// idleService is a service that routing alone never asks for more.
type idleService struct{ controller.VersionService }

func (idleService) NodeID() string       { return "node1" }
func (idleService) AppliedIndex() uint64 { return 1 }

func mustController(t *testing.T) *controller.VersionController {
	t.Helper()
	v, err := controller.NewVersionController(idleService{}, slog.New(slog.DiscardHandler))
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

// description is what the tests need of the generated API description.
type description struct {
	Host    string                                  `json:"host"`
	Schemes []string                                `json:"schemes"`
	Paths   map[string]map[string]describedEndpoint `json:"paths"`
}

type describedEndpoint struct {
	ID        string         `json:"operationId"`
	Tags      []string       `json:"tags"`
	Responses map[string]any `json:"responses"`
	// Security names the ways to prove who one is, of which each is a map of one key.
	Security []map[string]any `json:"security"`
}

func mustDescription(t *testing.T) description {
	t.Helper()
	var d description
	require.NoError(t, json.Unmarshal([]byte(swagger.SwaggerInfo.ReadDoc()), &d))
	return d
}

// Every route is described on the API page and everything described is routed.
func TestEveryRouteIsDescribed(t *testing.T) {
	v := mustController(t)
	var routed []string
	for _, engine := range []*gin.Engine{routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, mustPeerController(t))} {
		for _, route := range engine.Routes() {
			// Not the page itself, nor HEAD, which is GET without the body.
			if !strings.HasPrefix(route.Path, "/swagger/") && route.Method != http.MethodHead {
				routed = append(routed, route.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(route.Path, "{$1}"))
			}
		}
	}
	var described []string
	for path, methods := range mustDescription(t).Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(routed)
	require.ElementsMatch(t, slices.Compact(routed), described) // the ports share some handlers
}

// Generated clients name their methods after the operation IDs, which therefore must differ, and
// are the names of the handlers.
func TestOperationIDs(t *testing.T) {
	seen := map[string]string{}
	for path, methods := range mustDescription(t).Paths {
		for method, endpoint := range methods {
			require.Empty(t, seen[endpoint.ID], "%s %s", method, path)
			seen[endpoint.ID] = path
			require.Len(t, endpoint.Tags, 1)
			require.Contains(t, endpoint.Responses, "400")
		}
	}
	for _, handler := range []string{"AddVersion", "DeleteVersion", "UpdateVersion", "GetVersionByID", "ListVersions", "JoinRaftCluster",
		"DeleteFatalPeer", "GetLeaderPortAddress", "TransferLeadership", "GetPeers", "LeaderHandleCommand", "Livez", "Readyz", "Status", "Term", "ReadIndex", "Admit", "Backup", "Restore"} {
		require.Contains(t, seen, handler)
	}
}

// "Try it out" goes to the node that the page came from only if the description names no host.
func TestDescriptionNamesNoHost(t *testing.T) {
	d := mustDescription(t)
	require.Empty(t, d.Host)
	require.Empty(t, d.Schemes)
}

// The page and all it loads are served, by nodes side by side in one process as well.
func TestAPIPage(t *testing.T) {
	var nodes sync.WaitGroup
	for range 3 {
		engine := routers.SetUpVersionRouter(mustController(t))
		nodes.Go(func() { requireAPIPage(t, engine) })
	}
	nodes.Wait()
}

func requireAPIPage(t *testing.T, engine http.Handler) {
	// A first request that the library would take a wrong prefix from.
	get(engine, "/swagger/swagger-ui.css?doc.json")
	page := get(engine, "/swagger/index.html")
	loads := regexp.MustCompile(`(?:src|href)="(?:\./)?([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(loads) < 4 {
		t.Errorf("the page loads %d files, too few to be the API page", len(loads))
	}
	for _, file := range append(loads, []string{"", "doc.json"}) {
		answer := get(engine, "/swagger/"+file[1])
		if answer.Code != http.StatusOK || answer.Body.Len() == 0 {
			t.Errorf("%s: %d, %d bytes", file[1], answer.Code, answer.Body.Len())
		}
	}
	if answer := get(engine, "/swagger/"); answer.Header().Get("Location") != "/swagger/index.html" {
		t.Errorf("/swagger/: %d", answer.Code)
	}
}

func get(engine http.Handler, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder
}
