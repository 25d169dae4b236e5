package peer_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/peer"
	"versiond/routers"
)

// otherNode is the service behind the peer port of the node that is asked. It notes what reaches it.
type otherNode struct {
	controller.VersionService // what no peer asks is not there
	cluster                   string
	got                       []any
}

func (o *otherNode) note(args ...any) { o.got = args }

func (o *otherNode) NodeID() string       { return "node2" }
func (o *otherNode) AppliedIndex() uint64 { return 42 }
func (o *otherNode) Term() peer.Term      { return peer.Term{Node: "node2", Cluster: o.cluster, Term: 3} }

func (o *otherNode) Status(context.Context) peer.Status {
	return peer.Status{Port: 8082, StoreCluster: "cluster2", StoreSilent: true, Release: "r"}
}

func (o *otherNode) LeaderReadIndex(_ context.Context, level model.Level, ack model.TermAck) (uint64, error) {
	o.note(level, ack)
	return 41, nil
}

func (o *otherNode) LeaderRead(_ context.Context, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	o.note(queries, opts, ack)
	return sampleFound(), 42, nil
}

// sampleAck is what a follower says of itself.
var sampleAck = model.TermAck{Node: "node3", Term: 9}

// Ids hold what texts in between could treat specially; one that changes on its way reads another record.
func sampleQueries() []model.Query {
	return []model.Query{{ID: "libstdc++6"}, {ID: "@scope/a//b/"}, {ID: `%2F ?x=1&y#z;"<>\^{|}`}, {Page: &model.ListOptions{Platform: "a+b &c", Prefix: "a/ %", After: "版本", Limit: 500}},
		{Candidates: &model.Candidates{IDs: []string{"a/b", "c"}}}, {History: &model.HistoryOptions{ID: "@scope/a", Before: 9, Limit: 100}}, {History: &model.HistoryOptions{ID: "nobody", Limit: 1}}}
}

func sampleFound() []model.Found {
	b := model.VersionDB{ID: "b", VersionNo: "2", Platform: "linux", Revision: 8192}
	return []model.Found{{}, {}, {Record: b, Exists: true}, {Page: &model.Page{Items: []model.VersionDB{b}, Next: "b"}},
		{Page: &model.Page{Items: []model.VersionDB{b}}}, {History: &model.History{Items: []model.Change{{Revision: 8, Op: model.ChangeDelete, ID: "@scope/a", Platform: "linux", At: 5, By: "ci"}}, Next: 8}}, {}}
}

func (o *otherNode) Admit(_ context.Context, admission peer.Admission) error {
	o.note(admission)
	return nil
}

func (o *otherNode) ApplyCommands(_ context.Context, commands []model.Unit) ([]model.UnitOutcome, uint64, error) {
	o.note(commands)
	return sampleOutcomes(), 43, nil
}

func (o *otherNode) JoinRaftCluster(_ context.Context, id, address string, voter bool) (model.Member, error) {
	o.note(id, address, voter)
	return model.Member{ID: id, Address: address, Port: 8089, Voter: voter}, nil
}

func (o *otherNode) DeleteFatalPeer(_ context.Context, id string, force bool) error {
	o.note(id, force)
	return nil
}

func (o *otherNode) TransferLeadership(_ context.Context, id string) (model.Leader, error) {
	o.note(id)
	return model.Leader{ID: id, Address: "n:1", Port: 8089}, nil
}

// mustRunOther serves the real peer port over an otherNode.
func mustRunOther(t *testing.T, secret string) (o *otherNode, address string) {
	t.Helper()
	o = &otherNode{cluster: ourCluster}
	versions, err := controller.NewVersionController(o, slog.New(slog.DiscardHandler), controller.Options{})
	require.NoError(t, err)
	peers, err := controller.NewPeerController(o, secret)
	require.NoError(t, err)
	server := httptest.NewServer(routers.SetUpRaftRouter(versions, peers))
	t.Cleanup(server.Close)
	return o, strings.TrimPrefix(server.URL, "http://")
}

// Client and routes are written apart. Where they differ, a follower fails at what only the leader
// can do, and no test of either alone would notice.
func TestClientAndPeerPortAgree(t *testing.T) {
	o, address := mustRunOther(t, "s3cret")
	c := mustClient(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()

	status, err := c.Status(ctx, address)
	require.NoError(t, err)
	require.Equal(t, o.Status(ctx), status)
	term, err := c.Term(ctx, "node2", address)
	require.NoError(t, err)
	require.EqualValues(t, 3, term)
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader} {
		index, err := c.ReadIndex(ctx, address, level, sampleAck)
		require.NoError(t, err)
		require.EqualValues(t, 41, index)
		require.Equal(t, []any{level, sampleAck}, o.got)
	}
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader} {
		opts := model.ReadOptions{Level: level, MinIndex: 1 << 60}
		found, index, err := c.Read(ctx, address, sampleQueries(), opts, sampleAck)
		require.NoError(t, err)
		require.Equal(t, sampleFound(), found)
		require.EqualValues(t, 42, index)
		require.Equal(t, []any{sampleQueries(), opts, sampleAck}, o.got)
	}
	for _, others := range [][]model.Query{sampleQueries()[:2], slices.Repeat(sampleQueries()[:1], len(sampleQueries()))} {
		_, _, err = c.Read(ctx, address, others, model.ReadOptions{Level: model.LevelLeader}, sampleAck)
		require.ErrorIs(t, err, model.ErrCorrupt, "an answer to other queries is none to these")
	}
	outcomes, index, err := c.Commands(ctx, address, sampleCommands())
	require.NoError(t, err)
	require.Equal(t, sampleOutcomes(), outcomes)
	require.EqualValues(t, 43, index)
	require.Equal(t, []any{sampleCommands()}, o.got)

	require.NoError(t, c.Admit(ctx, address, peer.Admission{Cluster: ourCluster, Replica: true}))
	require.Equal(t, []any{peer.Admission{Cluster: ourCluster, Replica: true}}, o.got)
	member, err := c.Join(ctx, address, "node9", "host-9.example:7001", false)
	require.NoError(t, err)
	require.Equal(t, model.Member{ID: "node9", Address: "host-9.example:7001", Port: 8089}, member)
	require.Equal(t, []any{"node9", "host-9.example:7001", false}, o.got)
	require.NoError(t, c.Remove(ctx, address, "node9", true))
	require.Equal(t, []any{"node9", true}, o.got)
	leader, err := c.Transfer(ctx, address, "node9")
	require.NoError(t, err)
	require.Equal(t, model.Leader{ID: "node9", Address: "n:1", Port: 8089}, leader)
}

// Requests without the secret, or meant for another cluster, must not reach the service.
func TestPeerPortRefusesStrangers(t *testing.T) {
	for _, secret := range []string{"another secret", "s3cret2", ""} {
		o, address := mustRunOther(t, secret)
		err := mustClient(t).Admit(t.Context(), address, peer.Admission{Cluster: ourCluster})
		require.ErrorIs(t, err, model.ErrSecretsDiffer)
		require.ErrorIs(t, err, model.ErrWrongNode, "whoever does not look closer takes it for what it is")
		require.ErrorContains(t, err, "the nodes' cluster.secret differ: "+address)
		require.NotContains(t, err.Error(), "s3cret")
		require.Nil(t, o.got)
	}

	o, address := mustRunOther(t, "s3cret")
	o.cluster = "cluster2"
	_, _, err := mustClient(t).Commands(t.Context(), address, sampleCommands())
	require.ErrorIs(t, err, model.ErrWrongNode)
	require.Nil(t, o.got)
}
