package peer_test

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/certs"
	"versiond/model"
	"versiond/peer"
	"versiond/test/harness/authority"
)

// listening is a node by TLS, as one that shows a certificate and trusts an authority, and refuses who has none of it.
func listening(t *testing.T, pair certs.Pair, trusts *authority.Authority) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"node":"node2","cluster":"c1","term":7}`))
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Load(t, pair)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusts.Pool()}
	server.StartTLS()
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "https://")
}

// A node that does not let this one in has done nothing, and that has to be known of writes too: else every client of a
// node with a wrong certificate is told that nobody knows what became of its write. Why, has to be said in words.
func TestNodesThatDoNotSpeakTLSWithThisOneDidNothing(t *testing.T) {
	ours, others := authority.New(t, "ours"), authority.New(t, "others")
	files := authority.WriteFiles(t, ours.Node(t, "node1"), ours.PEM)
	keeper, err := certs.OpenPeer(certs.PeerFiles(files.Cert, files.Key, files.CA), "127.0.0.1:7001", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	client := peer.NewClient(func() string { return "c1" }, "", keeper)
	t.Cleanup(client.Close)
	term, err := client.Term(t.Context(), "node2", listening(t, ours.Node(t, "node2"), ours))
	require.NoError(t, err)
	require.Equal(t, uint64(7), term)

	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for address, says := range map[string]string{
		listening(t, ours.Node(t, "node2"), others):                "it does not know the authority that signed the certificate of this side",
		listening(t, others.Node(t, "node2"), ours):                "its certificate is signed by no authority that is known here",
		listening(t, ours.Node(t, "node2", "node2.example"), ours): "is for node2.example, and not for 127.0.0.1",
		listening(t, ours.Ended(t, "node2"), ours):                 "its certificate has ended",
		strings.TrimPrefix(plain.URL, "http://"):                   "the other side does not speak TLS",
	} {
		_, err := client.Term(t.Context(), "node2", address)
		require.ErrorIs(t, err, model.ErrTLSFailed, says)
		require.ErrorIs(t, err, model.ErrNeverSent)
		var silent *peer.Unanswered
		require.ErrorAs(t, err, &silent)
		require.Contains(t, silent.Reason(), says)
		_, _, err = client.Commands(t.Context(), address, []model.Unit{model.Single(model.Command{Type: model.CommandDelete, ID: "a"})})
		require.ErrorIs(t, err, model.ErrNotLeader, says)
		require.NotErrorIs(t, err, model.ErrOutcomeUnknown, says)
	}
}
