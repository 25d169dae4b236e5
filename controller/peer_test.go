package controller_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
)

const fakeCluster = "OURS"

func (f *fakeService) Status(context.Context) peer.Status { return peer.Status{Port: 8081} }

func (f *fakeService) Term() peer.Term {
	return peer.Term{Node: "node1", Cluster: fakeCluster, Term: 7}
}

func (f *fakeService) LeaderReadIndex(_ context.Context, level model.Level, ack model.TermAck) (uint64, error) {
	switch {
	case level == model.LevelLeader:
		return 41, nil
	case ack == model.TermAck{Node: "node2", Term: 7}:
		return 43, nil
	}
	return 42, nil
}

func (f *fakeService) LeaderRead(ctx context.Context, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	defer f.begin(ctx)()
	f.opts = opts
	if ack.Term != 7 {
		return nil, 0, model.ErrNotLeader
	}
	found := make([]model.Found, len(queries))
	for i, q := range queries {
		record := model.VersionDB{ID: q.ID, VersionNo: "1", Platform: "linux", Revision: 4096}
		switch {
		case q.Page != nil:
			found[i].Page = &model.Page{Next: q.Page.After}
		case q.ID != "nobody":
			found[i] = model.Found{Record: record, Exists: true}
		}
	}
	return found, 44, nil
}

func (f *fakeService) Admit(_ context.Context, admission peer.Admission) error {
	if admission.Cluster != fakeCluster {
		return model.ErrWrongNode
	}
	return nil
}

// What nodes ask each other: a leader confirms itself by terms, a follower reads at an index.
func TestNodesAskEachOther(t *testing.T) {
	n := mustNode(t)
	var term peer.Term
	requirePeerAnswer(t, n, "/term", &term)
	require.Equal(t, peer.Term{Node: "node1", Cluster: fakeCluster, Term: 7}, term)
	var index peer.Index
	requirePeerAnswer(t, n, "/read-index", &index)
	require.Equal(t, uint64(42), index.Index)
	requirePeerAnswer(t, n, "/read-index?level=leader", &index)
	require.Equal(t, uint64(41), index.Index)
	var status peer.Status
	requirePeerAnswer(t, n, "/status", &status)
	require.Equal(t, 8081, status.Port)
}

func requirePeerAnswer(t *testing.T, n *node, path string, into any) {
	t.Helper()
	answer := serve(t, n.peer, request{method: http.MethodGet, path: path})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), into))
}

// A node of another cluster that a wrong address brought here must change nothing.
func TestStrangersAreRefused(t *testing.T) {
	n := mustNode(t)
	foreign := map[string]string{peer.ClusterHeader: "THEIRS", "Content-Type": peer.CommandsType}
	for _, r := range []request{
		{method: http.MethodPost, path: "/command", header: foreign, body: "x"},
		{method: http.MethodGet, path: "/?id=node9&addr=127.0.0.1:7009", header: foreign},
		{method: http.MethodDelete, path: "/peer/node1", header: foreign},
	} {
		answer := serve(t, n.peer, r)
		require.Equal(t, http.StatusBadGateway, answer.Code, r.path)
		require.Contains(t, answer.Body.String(), `"wrong_node"`, r.path)
	}
}

// An admission that names no cluster, or another than the node may join, starts nothing.
func TestAdmission(t *testing.T) {
	n := mustNode(t)
	for body, status := range map[string]int{
		`{"cluster":"OURS"}`:   http.StatusNoContent,
		`{"cluster":"THEIRS"}`: http.StatusBadGateway,
		`{"replica":true}`:     http.StatusBadRequest,
		`nonsense`:             http.StatusBadRequest,
	} {
		answer := serve(t, n.peer, request{method: http.MethodPost, path: "/admit", header: map[string]string{"Content-Type": "application/json"}, body: body})
		require.Equal(t, status, answer.Code, body)
	}
}
