package routers_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/naming"
	"versiond/routers"
	"versiond/test/contract"
)

const secret = "of the reader"

// mustGuard returns both engines of a node with a token for reading and a cluster secret.
func mustGuard(t *testing.T) (public, peer *gin.Engine) {
	t.Helper()
	v, err := controller.NewVersionController(idleService{}, slog.New(slog.DiscardHandler), controller.Options{Access: controller.Access{Tokens: []controller.Token{{Name: "reader", Role: naming.RoleRead, Secret: secret}}}})
	require.NoError(t, err)
	p, err := controller.NewPeerController(idlePeerService{}, "of the cluster")
	require.NoError(t, err)
	return routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p)
}

// Authorize on the API page works for an operation only if the description says that it is secured, and
// programs are generated from it: it has to say what the nodes do.
func TestDescriptionSaysWhatNeedsAToken(t *testing.T) {
	public, peer := mustGuard(t)
	for path, item := range contract.Load().Paths.Map() {
		for method, operation := range item.Operations() {
			path := regexp.MustCompile(`{\w+}`).ReplaceAllString(path, "x")
			for port, engine := range map[contract.Port]http.Handler{contract.Public: public, contract.Peer: peer} {
				if !contract.On(port, operation) {
					continue
				}
				t.Run(string(port)+" "+operation.OperationID, func(t *testing.T) {
					needed := ask(engine, method, path, "").Code == http.StatusUnauthorized
					require.Equal(t, needed, secured(operation, port))
					if needed || !secured(operation, contract.Peer) { // GET / is the console on one port, and asks for the secret on the other
						require.Equal(t, needed, operation.Responses.Status(http.StatusUnauthorized) != nil)
					}
				})
			}
		}
	}
}

// secured reports whether the operation is said to need what shows who one is on a port.
func secured(operation *openapi3.Operation, port contract.Port) bool {
	scheme := map[contract.Port]string{contract.Public: "Bearer", contract.Peer: "ClusterSecret"}[port]
	return slices.ContainsFunc(*operation.Security, func(r openapi3.SecurityRequirement) bool { return r[scheme] != nil })
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
