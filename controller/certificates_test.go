package controller_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/naming"
	"versiond/routers"
)

// What a certificate stands for follows from the names that an authority has put its name to, wherever in it they are.
// One that nobody has vouched for stands for nothing, whatever it says.
func TestNamesOfCertificatesHaveRoles(t *testing.T) {
	v, err := controller.NewVersionController(newFakeService(), slog.New(slog.DiscardHandler), controller.Options{Access: controller.Access{Certificates: []controller.Certificate{
		{Name: "ci@example.com", Role: naming.RoleRead}, {Name: "ci.example.com", Role: naming.RoleWrite}, {Name: "ops", Role: naming.RoleAdmin}, {Name: "spiffe://example.com/ops", Role: naming.RoleAdmin},
	}}})
	require.NoError(t, err)
	engine := routers.SetUpVersionRouter(v)
	remove := func(shown *x509.Certificate, verified bool) int {
		request := httptest.NewRequest(http.MethodDelete, "https://"+ownHost+"/peer/node3", nil)
		request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{shown}}
		if verified {
			request.TLS.VerifiedChains = [][]*x509.Certificate{{shown}}
		}
		answer := httptest.NewRecorder()
		engine.ServeHTTP(answer, request)
		return answer.Code
	}
	uri, err := url.Parse("spiffe://example.com/ops")
	require.NoError(t, err)
	const may = http.StatusNotFound // there is no such member
	ops := &x509.Certificate{Subject: pkix.Name{CommonName: "ops"}}
	require.Equal(t, may, remove(ops, true))
	require.Equal(t, http.StatusUnauthorized, remove(ops, false))
	require.Equal(t, may, remove(&x509.Certificate{URIs: []*url.URL{uri}}, true))
	require.Equal(t, http.StatusForbidden, remove(&x509.Certificate{DNSNames: []string{"ci.example.com"}}, true))
	require.Equal(t, http.StatusForbidden, remove(&x509.Certificate{EmailAddresses: []string{"ci@example.com"}, DNSNames: []string{"ci.example.com"}}, true))
	require.Equal(t, may, remove(&x509.Certificate{Subject: pkix.Name{CommonName: "ops"}, EmailAddresses: []string{"ci@example.com"}}, true), "one of its names may")
	require.Equal(t, http.StatusUnauthorized, remove(&x509.Certificate{Subject: pkix.Name{CommonName: "OPS", Organization: []string{"ops"}}}, true))
}
