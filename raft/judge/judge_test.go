package judge

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/raftlog"
)

// mustHistory makes a log of entries 10 to 15 of term 2 and a snapshot at 11.
func mustHistory(t *testing.T) (raft.LogStore, raft.SnapshotStore) {
	t.Helper()
	logs, snapshots := raft.NewInmemStore(), raft.NewInmemSnapshotStore()
	for index := uint64(10); index <= 15; index++ {
		require.NoError(t, logs.StoreLog(&raft.Log{Index: index, Term: 2, Type: raft.LogNoop}))
	}
	_, transport := raft.NewInmemTransport("x")
	sink, err := snapshots.Create(1, 11, 2, raft.Configuration{}, 1, transport)
	require.NoError(t, err)
	require.NoError(t, sink.Close())
	return logs, snapshots
}

func judged(state model.StoreState, cause error, ours model.Identity, logs raft.LogStore, snapshots raft.SnapshotStore) (Verdict, error) {
	history, err := raftlog.ReadHistory(logs, snapshots)
	if err != nil {
		return 0, err
	}
	found, _, err := Case{State: state, Cause: cause, Ours: ours, History: history}.Judge()
	return found, err
}

// Each Verdict protects from one way in which a database and a data directory come not to belong
// together: a wrong one skips entries, applies them twice, or merges two histories.
func TestJudge(t *testing.T) {
	ours := model.Identity{Cluster: "c", Node: "node1", Store: "s"}
	at := func(index, term uint64) model.StoreState {
		return model.StoreState{Identity: ours, Applied: model.Position{Index: index, Term: term}}
	}
	with := func(change func(*model.StoreState)) model.StoreState {
		s := at(12, 2)
		change(&s)
		return s
	}
	given := func(s model.StoreState) model.StoreState {
		s = s.Sealed()
		s.Node, s.Cluster = "node2", "d"
		return s
	}
	// The log holds 10 to 15, of term 2; the newest snapshot is at 11.
	for name, test := range map[string]struct {
		state model.StoreState
		cause error
		want  Verdict
	}{
		"as it was left":                {at(12, 2), nil, Current},
		"level with the log":            {at(15, 2), nil, Current},
		"level with the snapshot":       {at(11, 2), nil, Current},
		"just before the log":           {at(9, 2), nil, Current},
		"before what the log holds":     {at(8, 2), nil, Behind},
		"beyond the log":                {at(16, 2), nil, Lost},
		"another term":                  {at(12, 1), nil, Lost},
		"another term at the snapshot":  {at(11, 1), nil, Lost},
		"missing":                       {model.StoreState{}, model.ErrNoState, Lost},
		"empty":                         {at(0, 0), nil, Empty},
		"half restored":                 {with(func(s *model.StoreState) { s.Restoring = true }), nil, Lost},
		"another directory's":           {with(func(s *model.StoreState) { s.Store = "t" }), nil, Lost},
		"another node's":                {with(func(s *model.StoreState) { s.Node = "node2" }), nil, Foreign},
		"another cluster's":             {with(func(s *model.StoreState) { s.Cluster = "d" }), nil, Foreign},
		"another node's, half restored": {with(func(s *model.StoreState) { s.Node, s.Restoring = "node2", true }), nil, Foreign},
		"moved by somebody":             {with(func(s *model.StoreState) { s.Applied.Index-- }), model.ErrStoreDiffers, Lost},
		"tables of another form":        {at(12, 2), model.ErrStoreDiffers, Lost},
		"of which nothing can be read":  {model.StoreState{}, model.ErrStoreDiffers, Lost},
		"another node's, of other form": {model.StoreState{Identity: model.Identity{Node: "node2"}}, model.ErrStoreDiffers, Foreign},
		"another cluster's, moved":      {with(func(s *model.StoreState) { s.Cluster = "d" }), model.ErrStoreDiffers, Foreign},
		"ours, given to another":        {given(at(12, 2)), model.ErrStoreDiffers, Lost},
	} {
		t.Run(name, func(t *testing.T) {
			logs, snapshots := mustHistory(t)
			got, err := judged(test.state, test.cause, ours, logs, snapshots)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

// A node that was cut off may hold entries that were never committed below a snapshot that it was sent. A
// store from before them, as one that was killed during the restore, must not be given those.
func TestLogBelowASnapshotThatWasSentIsNotApplied(t *testing.T) {
	identity := model.Identity{Cluster: "c", Node: "node1", Store: "s"}
	for name, test := range map[string]struct {
		index, term uint64 // of the entry that the log has where the snapshot is
		hole        bool   // in front of that
		want        Verdict
	}{
		"the log goes on behind it":        {41, 3, true, Behind},
		"the log has another entry there":  {40, 2, false, Behind},
		"the log has what was snapshotted": {40, 3, false, Current},
		"one that was sent lies between":   {40, 3, true, Behind},
	} {
		t.Run(name, func(t *testing.T) {
			logs, snapshots := mustHistory(t)
			_, transport := raft.NewInmemTransport("x")
			sink, err := snapshots.Create(1, 40, 3, raft.Configuration{}, 1, transport)
			require.NoError(t, err)
			require.NoError(t, sink.Close())
			for i := uint64(16); i < test.index && !test.hole; i++ {
				require.NoError(t, logs.StoreLog(&raft.Log{Index: i, Term: 2, Type: raft.LogNoop}))
			}
			require.NoError(t, logs.StoreLog(&raft.Log{Index: test.index, Term: test.term, Type: raft.LogNoop}))
			got, err := judged(model.StoreState{Identity: identity, Applied: model.Position{Index: 12, Term: 2}}, nil, identity, logs, snapshots)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}
