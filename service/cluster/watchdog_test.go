package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// looks feeds a watch one look every quarter of a second, as the watchdog does.
type looks struct {
	storeWatch
	at time.Time
}

func (l *looks) look(count int, leads, stuck bool, took time.Duration, age time.Duration) {
	for range count {
		l.at = l.at.Add(watchdogInterval)
		l.storeWatch.look(l.at, leads, stuck, took, l.at.Add(-age))
	}
}

// A store that was slow once, or that was slow when it was last used, is no reason to hand over; one
// that stays slow under writes is. If this fails, leadership wanders, or stays where writes crawl.
func TestStoreIsSlowOnlyWhenItStaysSo(t *testing.T) {
	const slow, fast = 2 * slowCommit, slowCommit / 2
	enough := int(slowFor/watchdogInterval) + 1
	for name, c := range map[string]struct {
		feed func(l *looks)
		want bool
	}{
		"long enough": {func(l *looks) { l.look(enough, true, false, slow, 0) }, true},
		"not yet":     {func(l *looks) { l.look(enough-1, true, false, slow, 0) }, false},
		"a hiccup": {func(l *looks) {
			l.look(enough-1, true, false, slow, 0)
			l.look(1, true, false, fast, 0)
			l.look(1, true, false, slow, 0)
		}, false},
		"long ago":       {func(l *looks) { l.look(2*enough, true, false, slow, 2*slowFresh) }, false},
		"of a follower":  {func(l *looks) { l.look(2*enough, false, false, slow, 0) }, false},
		"a new leader's": {func(l *looks) { l.look(enough, false, false, slow, 0); l.look(enough-1, true, false, slow, 0) }, false},
		"not really":     {func(l *looks) { l.look(2*enough, true, false, fast, 0) }, false},
	} {
		l := &looks{at: time.Now()}
		c.feed(l)
		require.Equal(t, c.want, l.slow(), name)
		require.False(t, l.stuck(), name)
	}
}

// A process that was frozen finds its applier late when it wakes, and nothing is wrong.
func TestStoreIsStuckOnlyTwiceInARow(t *testing.T) {
	l := &looks{at: time.Now()}
	l.look(1, true, true, 0, 0)
	require.False(t, l.stuck())
	l.look(1, true, false, 0, 0)
	l.look(1, true, true, 0, 0)
	require.False(t, l.stuck())
	l.look(1, true, true, 0, 0)
	require.True(t, l.stuck())
}

// Leadership goes to a voter whose store does well. If this fails it goes from one broken store to
// another, or away from one that is no slower than the rest.
func TestBestVoter(t *testing.T) {
	voters := []raft.Member{{ID: "node2", Voter: true}, {ID: "node3", Voter: true}}
	well := peer.Status{Status: raft.Status{
		Identity: model.Identity{Node: "node3"}, Running: true, Serving: true, Applied: 10, Commit: 10, CommitMicros: 2000,
	}}
	stuck := storeWatch{stuckLooks: 2, took: time.Second}
	slow := storeWatch{slowSince: time.Now(), took: 200 * time.Millisecond}
	for name, c := range map[string]struct {
		change func(s *peer.Status)
		watch  storeWatch
		want   bool
	}{
		"does well":                   {func(*peer.Status) {}, stuck, true},
		"is stuck too":                {func(s *peer.Status) { s.Stuck = true }, stuck, false},
		"fails, not for long yet":     {func(s *peer.Status) { s.StoreFailing = true }, stuck, false},
		"builds its store anew":       {func(s *peer.Status) { s.Serving = false }, stuck, false},
		"has a backlog":               {func(s *peer.Status) { s.Commit = 10 + FarBehind + 1 }, stuck, false},
		"slow is better than stuck":   {func(s *peer.Status) { s.CommitMicros = 5_000_000 }, stuck, true},
		"much faster":                 {func(*peer.Status) {}, slow, true},
		"no faster":                   {func(s *peer.Status) { s.CommitMicros = 200_000 }, slow, false},
		"faster, but not worth it":    {func(s *peer.Status) { s.CommitMicros = 40_000 }, slow, false},
		"has not been seen at work":   {func(s *peer.Status) { s.CommitMicros = 0 }, slow, false},
		"much faster, with a backlog": {func(s *peer.Status) { s.Commit = 10 + FarBehind + 1 }, slow, false},
	} {
		status := well
		c.change(&status)
		got, found := bestVoter(voters, []*peer.Status{nil, &status}, c.watch.beat())
		require.Equal(t, c.want, found, name)
		if found {
			require.Equal(t, voters[1], got)
		}
	}
}

// A voter with a shorter log cannot win against one with a longer one.
func TestBestVoterHasTheLongestLog(t *testing.T) {
	var voters []raft.Member
	var answers []*peer.Status
	for i, last := range []uint64{7, 9, 8} {
		id := fmt.Sprint("node", i)
		voters = append(voters, raft.Member{ID: id, Voter: true})
		answers = append(answers, &peer.Status{Status: raft.Status{Identity: model.Identity{Node: id}, Serving: true, LastIndex: last}})
	}
	best, found := bestVoter(voters, answers, 0)
	require.True(t, found)
	require.Equal(t, "node1", best.ID)
}
