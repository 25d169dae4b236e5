package peer_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/wire"
)

const ourCluster = "cluster1"

// mustClient returns a client of a node of ourCluster that knows the secret.
func mustClient(t *testing.T) *peer.Client {
	t.Helper()
	c := peer.NewClient(func() string { return ourCluster }, "s3cret", nil)
	t.Cleanup(c.Close)
	return c
}

// mustServe runs a node that answers with handler, and returns its address.
func mustServe(t *testing.T, handler http.HandlerFunc) (address string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// answering is a node that answers every request alike.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Versiond-Index", "42")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that hung up fails its own test
	}
}

func sampleCommands() []model.Unit {
	return []model.Unit{
		model.Single(model.Command{Type: model.CommandAdd, ID: "libstdc++6", VersionNo: "12", Platform: "linux"}),
		{Atomic: true, Commands: []model.Command{{Type: model.CommandDelete, ID: "gone", IfRevision: 4097}, {Type: model.CommandDelete, ID: "here"}}},
	}
}

func sampleOutcomes() []model.UnitOutcome {
	return []model.UnitOutcome{
		{Outcomes: []model.Outcome{{Code: model.OutcomeDone, Revision: 1 << 40}}},
		{Outcomes: []model.Outcome{{Code: model.OutcomeNotFound}, {Code: model.OutcomeNotDone}}},
	}
}

// handleCommands answers with outcomes, whatever was asked.
func handleCommands(outcomes []model.UnitOutcome) http.HandlerFunc {
	return answering(http.StatusOK, peer.OutcomesType, string(wire.AppendOutcomes(nil, 77, outcomes)))
}

func requireWrite(t *testing.T, c *peer.Client, address string, sentinel error) {
	t.Helper()
	outcomes, _, err := c.Commands(t.Context(), address, sampleCommands())
	require.ErrorIs(t, err, sentinel)
	require.Empty(t, outcomes)
	if !errors.Is(sentinel, model.ErrOutcomeUnknown) {
		require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	}
}
