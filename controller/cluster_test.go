package controller_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/test/units"
	"versiond/wire"
)

func mustJSON(t testing.TB, value any) string {
	t.Helper()
	body, err := json.Marshal(value)
	require.NoError(t, err)
	return string(body)
}

// Every way to join ends in the same call, for POST without a body or Content-Type as well.
func TestJoinRaftCluster(t *testing.T) {
	for _, r := range []request{
		{method: http.MethodPost, path: "/join/node4/127.0.0.1:7004"},
		{method: http.MethodPost, path: "/join/node4/127.0.0.1%3A7004?voter=true"},
		{method: http.MethodGet, path: "/join/node4/127.0.0.1:7004"},
		{method: http.MethodGet, path: "/join/node4/127.0.0.1:7004", header: map[string]string{"Sec-Fetch-Site": "none", "User-Agent": "Mozilla/5.0", "Accept-Language": "en"}},
		{method: http.MethodPost, path: "/join/node4/127.0.0.1:7004", header: map[string]string{"Sec-Fetch-Site": "same-origin"}},
		{method: http.MethodPost, path: "/join/node4/127.0.0.1:7004", header: map[string]string{"Origin": "http://node1.example:8081"}},
		{method: http.MethodGet, path: "/join/node4/127.0.0.1:7004", header: map[string]string{"Referer": "http://node1.example:8081/swagger/index.html"}},
	} {
		n := mustNode(t)
		answer := n.do(t, r)
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		requireLabels(t, answer, "7")
		require.Equal(t, model.Member{ID: "node4", Address: "127.0.0.1:7004", Port: 8084, Voter: true}, mustDecode[model.Member](t, answer))
	}
}

func TestJoinAddresses(t *testing.T) {
	n := mustNode(t)
	for _, address := range []string{"localhost:1", "node-4.versiond_net.internal:65535", "10.0.0.4:7004", "%5B::1%5D:7004", "[2001:db8::4]:7004"} {
		answer := n.send(t, http.MethodPost, "/join/node4/"+address, "")
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	}
}

// A node asks to be let in at the address that its settings have, so what they take a join has to take,
// and what they refuse, such as a slip in an IP address, is no host name here either.
func TestJoinGoesByTheRulesOfTheSettings(t *testing.T) {
	for address, want := range map[string]int{
		"_peer.node4.internal:7004": http.StatusOK,
		"node4.example.:7004":       http.StatusOK,
		"10.0.0.300:7004":           http.StatusBadRequest,
		"[::ffff:0.0.0.0]:7004":     http.StatusBadRequest,
		":7004":                     http.StatusBadRequest,
		"node4:07004":               http.StatusBadRequest, // two spellings would pass for two members
		"node4:70000":               http.StatusBadRequest,
	} {
		answer := mustNode(t).send(t, http.MethodPost, "/join/node4/"+address, "")
		require.Equal(t, want, answer.Code, "%s: %s", address, answer.Body)
	}
}

func TestJoinOnPeerPort(t *testing.T) {
	n := mustNode(t)
	answer := serve(t, n.peer, request{method: http.MethodGet, path: "/?id=node4&addr=127.0.0.1:7004&voter=false"})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	require.False(t, mustDecode[model.Member](t, answer).Voter)
}

func TestDeleteFatalPeer(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodDelete, "/peer/node1?force=true", "")
	require.Equal(t, http.StatusNoContent, answer.Code)
	require.True(t, n.service.force)
	requireLabels(t, answer, "7")
	requireProblem(t, n.send(t, http.MethodDelete, "/peer/node1", ""), http.StatusNotFound, "not_found")
	require.False(t, n.service.force)
}

func TestLeader(t *testing.T) {
	n := mustNode(t)
	want := model.Leader{ID: "node1", Address: "127.0.0.1:7001", Port: 8081}
	require.Equal(t, want, mustDecode[model.Leader](t, n.get(t, "/leader")))
	answer := n.do(t, request{method: http.MethodPost, path: "/leader/node1"})
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, want, mustDecode[model.Leader](t, answer))
}

func TestGetPeers(t *testing.T) {
	n := mustNode(t)
	answer := n.get(t, "/peers")
	require.Equal(t, http.StatusOK, answer.Code)
	peers := mustDecode[model.Peers](t, answer)
	require.Len(t, peers.Members, 1)
	require.Equal(t, "node1", peers.Members[0].ID)
}

func TestLivez(t *testing.T) {
	n := mustNode(t)
	answer := n.get(t, "/livez")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, controller.Liveness{Node: "node1", Live: true}, mustDecode[controller.Liveness](t, answer))
}

func TestReadyz(t *testing.T) {
	n := mustNode(t)
	answer := n.get(t, "/readyz")
	require.Equal(t, http.StatusOK, answer.Code)
	require.True(t, mustDecode[controller.Readiness](t, answer).Ready)

	n.service.checks[1] = model.Check{Name: "store", Detail: "no answer"}
	answer = n.get(t, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.Equal(t, "1", answer.Header().Get("Retry-After"))
	require.JSONEq(t, `{"node":"node1","ready":false,"checks":[{"name":"leader","ok":true},{"name":"store","ok":false,"detail":"no answer"}]}`, answer.Body.String())
}

func TestLeaderHandleCommand(t *testing.T) {
	n := mustNode(t)
	commands := []model.Command{
		{Type: model.CommandAdd, ID: "a", VersionNo: "1", Platform: "p"},
		{Type: model.CommandAdd, ID: "known", VersionNo: "1", Platform: "p"},
		{Type: model.CommandDelete, ID: "missing"},
	}
	answer := serve(t, n.peer, request{method: http.MethodPost, path: "/command?timeout=2s",
		header: map[string]string{"Content-Type": "application/vnd.versiond.commands"}, body: string(wire.AppendUnits(nil, units.Singles(commands...)))})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	require.Equal(t, "application/vnd.versiond.outcomes", answer.Header().Get("Content-Type"))
	requireLabels(t, answer, "8")
	index, outcomes, err := wire.DecodeOutcomes(answer.Body.Bytes())
	require.NoError(t, err)
	require.Equal(t, uint64(8), index)
	require.Equal(t, []model.UnitOutcome{
		{Outcomes: []model.Outcome{{Code: model.OutcomeDone, Revision: model.Revision(8, 0)}}},
		{Outcomes: []model.Outcome{{Code: model.OutcomeAlreadyExists, Revision: model.Revision(7, 0)}}},
		{Outcomes: []model.Outcome{{Code: model.OutcomeNotFound}}},
	}, outcomes)
}
