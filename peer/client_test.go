package peer_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/wire"
)

// record keeps what the last request was.
type record struct {
	*http.Request
	body []byte
}

func recording(into *record, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a body that cannot be read fails the comparison
		*into = record{Request: r, body: body}
		next(w, r)
	}
}

// The leader must get exactly what the follower's clients wrote, and each client its own outcome.
func TestCommandsAndOutcomesTravelWhole(t *testing.T) {
	var got record
	address := mustServe(t, recording(&got, handleCommands(sampleOutcomes())))
	outcomes, index, err := mustClient(t).Commands(t.Context(), address, sampleCommands())
	require.NoError(t, err)
	require.Equal(t, sampleOutcomes(), outcomes)
	require.EqualValues(t, 77, index)
	require.Equal(t, "POST /command", got.Method+" "+got.URL.Path)
	require.Equal(t, peer.CommandsType, got.Header.Get("Content-Type"))
	commands, err := wire.DecodeUnits(got.body)
	require.NoError(t, err)
	require.Equal(t, sampleCommands(), commands)
}

// Cluster and secret are what keeps strangers out; a node without a cluster claims none.
func TestRequestsSayWhoSendsThem(t *testing.T) {
	var got record
	address := mustServe(t, recording(&got, answering(http.StatusOK, "application/json", "{}")))
	_, err := mustClient(t).Status(t.Context(), address)
	require.NoError(t, err)
	require.Equal(t, ourCluster, got.Header.Get(peer.ClusterHeader))
	require.Equal(t, "s3cret", got.Header.Get(peer.SecretHeader))
	require.NotEmpty(t, got.Header.Get(peer.NodeHeader), "by it a node is let in whatever it calls the other one")

	blank := peer.NewClient(func() string { return "" }, "", nil)
	defer blank.Close()
	_, err = blank.Status(t.Context(), address)
	require.NoError(t, err)
	require.NotContains(t, got.Header, http.CanonicalHeaderKey(peer.ClusterHeader))
	require.NotContains(t, got.Header, http.CanonicalHeaderKey(peer.SecretHeader))
}

// Without the caller's time the leader would give up after its own default: a client that waits a
// minute would be told after five seconds that nobody leads.
func TestCallersTimeIsPassedOn(t *testing.T) {
	var got record
	c := mustClient(t)
	address := mustServe(t, recording(&got, answering(http.StatusServiceUnavailable, "application/problem+json", problem("not_leader"))))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	far, cancelFar := context.WithTimeout(t.Context(), time.Hour)
	defer cancelFar()
	for name, ask := range map[string]func(context.Context) error{
		"commands": func(ctx context.Context) error { _, _, err := c.Commands(ctx, address, sampleCommands()); return err },
		"read":     func(ctx context.Context) error { return readOne(ctx, c, address) },
		"join":     func(ctx context.Context) error { _, err := c.Join(ctx, address, "node2", "n:1", true); return err },
		"remove":   func(ctx context.Context) error { return c.Remove(ctx, address, "node2", false) },
		"transfer": func(ctx context.Context) error { _, err := c.Transfer(ctx, address, "node2"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, ask(ctx), model.ErrNotLeader)
			passed, err := time.ParseDuration(got.URL.Query().Get("timeout"))
			require.NoError(t, err)
			require.Greater(t, passed, 25*time.Second)
			require.LessOrEqual(t, passed, 30*time.Second)
			require.ErrorIs(t, ask(far), model.ErrNotLeader)
			require.Equal(t, "1m0s", got.URL.Query().Get("timeout"), "more than a node lets itself be asked")
			require.ErrorIs(t, ask(t.Context()), model.ErrNotLeader)
			require.False(t, got.URL.Query().Has("timeout"))
		})
	}
}

// An answer about another node's term would let a leader confirm itself with a voter that it never
// reached.
func TestTermOfAnotherNodeIsRefused(t *testing.T) {
	c := mustClient(t)
	term := func(node, cluster string) string {
		return mustServe(t, answering(http.StatusOK, "application/json", fmt.Sprintf(`{"node":%q,"cluster":%q,"term":7}`, node, cluster)))
	}
	got, err := c.Term(t.Context(), "node2", term("node2", ourCluster))
	require.NoError(t, err)
	require.EqualValues(t, 7, got)
	for _, address := range []string{term("node3", ourCluster), term("node2", "cluster2"), term("node2", "")} {
		got, err := c.Term(t.Context(), "node2", address)
		require.ErrorIs(t, err, model.ErrWrongNode)
		require.Zero(t, got)
	}
}

// readOne asks for a record that nothing is to be found out about.
func readOne(ctx context.Context, c *peer.Client, address string) error {
	_, _, err := c.Read(ctx, address, []model.Query{{ID: "a"}}, model.ReadOptions{Level: model.LevelLeader}, model.TermAck{})
	return err
}

// An answer that this release cannot understand must not become an empty page, no record or index 0.
func TestUnreadableReadsAreErrors(t *testing.T) {
	found := string(wire.AppendFound(nil, 42, []model.Found{{}}))
	for name, answer := range map[string]string{"nothing": "", "of another form": "\x09" + found[1:], "cut off": found[:len(found)-1], "JSON": `{"items":[]}`} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, readOne(t.Context(), mustClient(t), mustServe(t, answering(http.StatusOK, peer.FoundType, answer))), model.ErrCorrupt)
		})
	}
}
