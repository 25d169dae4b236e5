package transport

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// leading is a leader of term 2 that has sent entry 5, after which nothing follows.
type leading struct {
	commit, term atomic.Uint64
	told         chan raft.AppendEntriesRequest
	commits      *commits
}

func newLeading(failing error) *leading {
	l := &leading{told: make(chan raft.AppendEntriesRequest, 100)}
	l.term.Store(2)
	l.commit.Store(4)
	l.commits = newCommits(func(_ raft.ServerID, _ raft.ServerAddress, args *raft.AppendEntriesRequest) error {
		l.told <- *args
		return failing
	}, func() (commit, term uint64) { return l.commit.Load(), l.term.Load() })
	return l
}

func (l *leading) acceptFive() {
	l.commits.sending("node2")
	l.commits.accepted("node2", "there", &raft.AppendEntriesRequest{
		Term: 2, PrevLogEntry: 4, PrevLogTerm: 1, LeaderCommitIndex: 4, Entries: []*raft.Log{{Index: 5, Term: 2}},
	})
}

var five = raft.AppendEntriesRequest{Term: 2, PrevLogEntry: 5, PrevLogTerm: 2, LeaderCommitIndex: 5}

// Whoever reads from a follower what was just written waits until that one knows it to be committed.
func TestFollowersLearnOfACommitThatNothingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeading(nil)
		l.acceptFive()
		time.AfterFunc(commitDelay*5/2, func() { l.commit.Store(9) }) // a quorum takes its time, and has more than this follower
		began := time.Now()
		require.Equal(t, five, <-l.told)
		require.Equal(t, 3*commitDelay, time.Since(began))
		mustTellNothing(t, l)
	})
}

// An idle cluster costs nothing, and a busy one no message more.
func TestFollowersAreToldNothingThatTheyKnow(t *testing.T) {
	for name, then := range map[string]func(*leading){
		"more entries follow":      func(l *leading) { l.commits.sending("node2") },
		"hashicorp/raft told it":   func(l *leading) { l.commits.accepted("node2", "there", &five) },
		"it leads no more":         func(l *leading) { l.term.Store(3) },
		"the transport was closed": func(l *leading) { l.commits.close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLeading(nil)
				l.acceptFive()
				l.commit.Store(5)
				then(l)
				mustTellNothing(t, l)
			})
		})
	}
}

// A follower that does not answer is hashicorp's to go on with.
func TestCommitsAreToldOnceToWhoeverDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeading(errors.New("no answer"))
		l.acceptFive()
		l.commit.Store(5)
		require.Equal(t, five, <-l.told)
		mustTellNothing(t, l)
	})
}

// mustTellNothing waits for an hour, which takes no time in a bubble.
func mustTellNothing(t *testing.T, l *leading) {
	t.Helper()
	select {
	case args := <-l.told:
		require.Fail(t, "it was told", "%+v", args)
	case <-time.After(time.Hour):
	}
}
