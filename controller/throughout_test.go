package controller_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/naming"
	"versiond/routers"
)

func token(name string, role naming.Role) controller.Token {
	return controller.Token{Name: name, Role: role, Secret: secretWord + "-of-" + name}
}

// mustChange returns a node that takes a few tokens, and what changes them.
func mustChange(t *testing.T, tokens ...controller.Token) (n *node, renew func(...controller.Token)) {
	t.Helper()
	n = &node{service: newFakeService(), log: &bytes.Buffer{}}
	v, err := controller.NewVersionController(n.service, slog.New(slog.DiscardHandler), controller.Options{Access: controller.Access{Tokens: tokens}})
	require.NoError(t, err)
	p, err := controller.NewPeerController(n.service, clusterSecret)
	require.NoError(t, err)
	n.hold(t, routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p))
	return n, func(tokens ...controller.Token) { v.Renew(controller.Access{Tokens: tokens}) }
}

// A token that leaks is taken away. A stream that was begun with it would tell its finder of everything for ever: it has to
// end at once, in each form, and with a reason, while that of another token goes on.
func TestStreamsEndWithTheirToken(t *testing.T) {
	for _, form := range []struct{ name, query, accept, begin string }{
		{name: "lines", query: "since=0", accept: "application/x-ndjson"},
		{name: "server-sent events", query: "since=0", accept: "text/event-stream", begin: "data: "},
		{name: "poll", query: "since=now&wait=60s", accept: "*/*"},
	} {
		t.Run(form.name, func(t *testing.T) {
			gone, stays := token("gone", naming.RoleRead), token("stays", naming.RoleWrite)
			n, renew := mustChange(t, gone, stays)
			server := n.mustServe(t)
			server.Client().Timeout = 10 * time.Second
			follow := func(token controller.Token) *following {
				return mustFollow(t, server, form.query, "Accept", form.accept, "Authorization", "Bearer "+token.Secret)
			}
			ends, goesOn := follow(gone), follow(stays)
			renew(stays)
			rest, err := io.ReadAll(ends.Body)
			require.NoError(t, err, "it is a whole answer")
			require.Contains(t, "\n"+string(rest), "\n"+form.begin+`{"type":"error","code":"unauthorized","detail":"the tokens or certificates of this node have changed: `)

			written := n.do(t, request{method: http.MethodPut, path: "/version/known", body: `{"versionNo":"1.1.0","platform":"linux"}`,
				header: map[string]string{"Authorization": "Bearer " + stays.Secret, "Content-Type": "application/json"}})
			require.Equal(t, http.StatusOK, written.Code)
			for line := ""; !strings.Contains(line, `"versionNo":"1.1.0"`); {
				line = goesOn.next(t)
				require.NotContains(t, line, `"error"`)
			}
		})
	}
}

// A client is let in until its certificate ends: to the second, and not for as long as it keeps a stream open. That another one
// ends, of an authority that has a new one meanwhile, changes nothing.
func TestStreamsEndWithTheirCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		authority := &x509.Certificate{NotAfter: began.Add(time.Hour)}
		ops := &x509.Certificate{Subject: pkix.Name{CommonName: "ops"}, NotAfter: began.Add(2 * time.Hour)}
		access := controller.Access{Certificates: []controller.Certificate{{Name: "ops", Role: naming.RoleRead}}}
		access.Vouches = func([][]*x509.Certificate) bool { return !time.Now().After(ops.NotAfter) }
		v, err := controller.NewVersionController(newFakeService(), slog.New(slog.DiscardHandler), controller.Options{Access: access})
		require.NoError(t, err)
		watch := httptest.NewRequest(http.MethodGet, "https://"+ownHost+"/version/watch", nil)
		watch.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{ops}, VerifiedChains: [][]*x509.Certificate{{ops, authority}}}
		patience, stop := context.WithTimeout(t.Context(), 3*time.Hour)
		defer stop()
		answer := httptest.NewRecorder()
		routers.SetUpVersionRouter(v).ServeHTTP(answer, watch.WithContext(patience))
		require.Equal(t, ops.NotAfter.Add(time.Second), time.Now())
		require.Contains(t, answer.Body.String(), `{"type":"error","code":"unauthorized","detail":"a certificate has ended by which this was allowed: `)
	})
}

// A backup is cut off as well, so that nobody takes the part for the whole.
func TestBackupsEndWithTheirToken(t *testing.T) {
	admin := token("gone", naming.RoleAdmin)
	n, renew := mustChange(t, admin)
	n.service.records["endless"] = model.VersionDB{ID: "endless"}
	server := httptest.NewServer(n.engines[0])
	t.Cleanup(server.Close)
	server.Client().Timeout = 10 * time.Second
	ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/backup", nil)
	require.NoError(t, err)
	ask.Header.Set("Authorization", "Bearer "+admin.Secret)
	ended := make(chan error)
	go func() {
		answer, err := server.Client().Do(ask)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		ended <- err
	}()
	<-n.service.writing
	renew(token("gone", naming.RoleRead))
	require.ErrorIs(t, <-ended, io.EOF)
}

// To find out whether somebody vouches for a client that is served, the files of certificates may be read, and what is new in
// them has all who are served judged again, there and then. If this fails, SIGHUP after a change of the files is the last
// thing that a node does: it serves no streams any more and never stops.
func TestFilesThatChangeWhileStreamsAreJudged(t *testing.T) {
	var v *controller.VersionController
	access, asked := controller.Access{Certificates: []controller.Certificate{{Name: "ops", Role: naming.RoleRead}}}, 0
	access.Vouches = func([][]*x509.Certificate) bool {
		switch asked++; asked {
		case 1: // whoever watches is let in
			v.Renew(access)
		case 2: // and judged again: the files have changed
			v.RecheckLasting()
		}
		return true
	}
	v, err := controller.NewVersionController(newFakeService(), slog.New(slog.DiscardHandler), controller.Options{Access: access})
	require.NoError(t, err)
	ops := &x509.Certificate{Subject: pkix.Name{CommonName: "ops"}}
	watch := httptest.NewRequest(http.MethodGet, "https://"+ownHost+"/version/watch?wait=1ms", nil)
	watch.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{ops}, VerifiedChains: [][]*x509.Certificate{{ops}}}
	answer, answered := httptest.NewRecorder(), make(chan struct{})
	go func() {
		routers.SetUpVersionRouter(v).ServeHTTP(answer, watch)
		close(answered)
	}()
	select {
	case <-answered:
	case <-time.After(10 * time.Second):
		t.Fatal("it is judged for ever")
	}
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	require.Equal(t, 3, asked)
}
