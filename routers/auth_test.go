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
	"versiond/naming"
	"versiond/routers"
)

const secret = "of the reader"

// mustGuard gives both engines of a node with a token for reading and a cluster secret.
func mustGuard(t *testing.T) (public, peer *gin.Engine) {
	t.Helper()
	v, err := controller.NewVersionController(idleService{}, slog.New(slog.DiscardHandler), controller.Token{Name: "reader", Role: naming.RoleRead, Secret: secret})
	require.NoError(t, err)
	p, err := controller.NewPeerController(idlePeerService{}, "of the cluster")
	require.NoError(t, err)
	return routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p)
}

// Authorize on the API page works for an operation only if the description says that it is secured, and
// programs are generated from it: it has to say what the nodes do.
func TestDescriptionSaysWhatNeedsAToken(t *testing.T) {
	public, peer := mustGuard(t)
	for path, methods := range mustDescription(t).Paths {
		for method, endpoint := range methods {
			engine, scheme := public, "Bearer"
			if endpoint.Tags[0] == "internal" {
				engine, scheme = peer, "ClusterSecret"
			}
			t.Run(endpoint.ID, func(t *testing.T) {
				method, path := strings.ToUpper(method), regexp.MustCompile(`{\w+}`).ReplaceAllString(path, "x")
				needed := ask(engine, method, path, "").Code == http.StatusUnauthorized
				require.Equal(t, needed, endpoint.describes("401", "unauthorized"))
				require.Equal(t, needed, len(endpoint.Security) == 1)
				if needed {
					require.Contains(t, endpoint.Security[0], scheme)
				}
				if scheme == "Bearer" {
					refused := ask(engine, method, path, secret).Code == http.StatusForbidden
					require.Equal(t, refused, endpoint.describes("403", "forbidden"))
				}
			})
		}
	}
}

// describes tells whether the operation is said to answer with this status and code.
func (e describedEndpoint) describes(status, code string) bool {
	response, ok := e.Responses[status].(map[string]any)
	return ok && strings.Contains(response["description"].(string), "`"+code+"`")
}

func ask(engine http.Handler, method, path, token string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	engine.ServeHTTP(recorder, req)
	return recorder
}
