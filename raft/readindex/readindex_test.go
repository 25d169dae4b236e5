package readindex_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/readindex"
)

const (
	leadersTerm = 7
	committed   = 40
)

var errDown = errors.New("nobody answers")

// ledBy is node1, which leads with these others as members, and has an entry of its term committed.
type ledBy struct {
	*raft.InmemStore
	members []raft.Server
	mayLead bool

	mu           sync.Mutex
	state        raft.RaftState
	term, commit uint64
	asked        []raft.ServerID
	answer       map[raft.ServerID]func(context.Context) (uint64, error)
	rounds       int
}

func newLedBy(t *testing.T, members ...raft.Server) *ledBy {
	t.Helper()
	n := &ledBy{InmemStore: raft.NewInmemStore(), members: members, mayLead: true, state: raft.Leader, term: leadersTerm,
		answer: map[raft.ServerID]func(context.Context) (uint64, error){}}
	for _, m := range members {
		n.answer[m.ID] = says(leadersTerm)
	}
	n.mustCommit(t, committed, leadersTerm)
	return n
}

// mustCommit puts an entry into the log, with the commit index at it.
func (n *ledBy) mustCommit(t *testing.T, index, term uint64) {
	t.Helper()
	require.NoError(t, n.StoreLog(&raft.Log{Index: index, Term: term}))
	n.set(func() { n.commit = index })
}

func (n *ledBy) set(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
}

func (n *ledBy) State() raft.RaftState {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

func (n *ledBy) CurrentTerm() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.term
}

func (n *ledBy) CommitIndex() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.commit
}

func (n *ledBy) GetConfiguration() raft.ConfigurationFuture { return configuration(n.members) }

// Term implements readindex.PeerTerms.
func (n *ledBy) Term(ctx context.Context, id, _ string) (uint64, error) {
	n.mu.Lock()
	n.asked = append(n.asked, raft.ServerID(id))
	answer := n.answer[raft.ServerID(id)]
	n.mu.Unlock()
	return answer(ctx)
}

// whoWasAsked returns the members that were asked since the last call.
func (n *ledBy) whoWasAsked() (asked []raft.ServerID) {
	synctest.Wait()
	n.set(func() { asked, n.asked = n.asked, nil })
	slices.Sort(asked)
	return asked
}

func (n *ledBy) indexer(t *testing.T) *readindex.Indexer {
	return readindex.New(t.Context(), readindex.Config{Node: "node1", Raft: n, Log: n, Peers: n,
		MayLead: func() bool { return n.mayLead }, Observe: func(int, time.Duration, error) { n.set(func() { n.rounds++ }) }})
}

// read asks for the index of a read whose client waits longer than a round can take.
func (n *ledBy) read(t *testing.T, ack model.TermAck) (uint64, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return n.indexer(t).IndexFor(ctx, ack)
}

func (n *ledBy) requireRefused(t *testing.T, ack model.TermAck) {
	t.Helper()
	_, err := n.read(t, ack)
	require.ErrorIs(t, err, model.ErrNotLeader)
}

type configuration []raft.Server

func (c configuration) Error() error                      { return nil }
func (c configuration) Index() uint64                     { return 1 }
func (c configuration) Configuration() raft.Configuration { return raft.Configuration{Servers: c} }

func says(term uint64) func(context.Context) (uint64, error) {
	return func(context.Context) (uint64, error) { return term, nil }
}

func isDown(context.Context) (uint64, error) { return 0, errDown }

// hangs answers when nobody waits any more.
func hangs(ctx context.Context) (uint64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func voters(ids ...raft.ServerID) (servers []raft.Server) {
	for _, id := range ids {
		servers = append(servers, raft.Server{ID: id, Address: raft.ServerAddress(id + ":7001")})
	}
	return servers
}

func withReplica(servers []raft.Server, id raft.ServerID) []raft.Server {
	return append(servers, raft.Server{ID: id, Suffrage: raft.Nonvoter})
}

// A leader that a quorum has left for another must not answer a linearizable read, whatever makes up the rest.
func TestAQuorumOfVotersMustBeInTheLeadersTerm(t *testing.T) {
	three, five := voters("node1", "node2", "node3"), voters("node1", "node2", "node3", "node4", "node5")
	for name, c := range map[string]struct {
		members []raft.Server
		answers map[raft.ServerID]func(context.Context) (uint64, error)
		leads   bool
	}{
		"alone":                          {members: voters("node1"), leads: true},
		"one of two others":              {members: three, answers: answers{"node2": isDown}, leads: true},
		"none of two others":             {members: three, answers: answers{"node2": isDown, "node3": isDown}},
		"others are in a newer term":     {members: three, answers: answers{"node2": says(leadersTerm + 1), "node3": says(leadersTerm + 1)}},
		"others are in an older term":    {members: three, answers: answers{"node2": says(leadersTerm - 1), "node3": says(leadersTerm - 1)}},
		"one of four others":             {members: five, answers: answers{"node3": isDown, "node4": isDown, "node5": says(leadersTerm + 1)}},
		"two of four others":             {members: five, answers: answers{"node2": isDown, "node3": says(leadersTerm + 1)}, leads: true},
		"others hang":                    {members: three, answers: answers{"node2": hangs, "node3": hangs}},
		"a replica is no voter":          {members: withReplica(voters("node1", "node2"), "node3"), answers: answers{"node2": isDown}},
		"no longer a voter, one of two":  {members: voters("node2", "node3"), answers: answers{"node3": isDown}},
		"no longer a voter, both of two": {members: voters("node2", "node3"), leads: true},
		"a replica itself":               {members: withReplica(voters("node2", "node3"), "node1"), answers: answers{"node3": isDown}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newLedBy(t, c.members...)
				for id, answer := range c.answers {
					n.answer[id] = answer
				}
				if !c.leads {
					n.requireRefused(t, model.TermAck{})
					return
				}
				index, err := n.read(t, model.TermAck{})
				require.NoError(t, err)
				require.Equal(t, uint64(committed), index)
			})
		})
	}
}

type answers = map[raft.ServerID]func(context.Context) (uint64, error)

// Of a new leader's log only its own entries tell how far the leaders before it have committed: before one of them
// is committed itself, a read could miss what a client was told is written.
func TestAnEntryOfTheTermMustBeCommitted(t *testing.T) {
	for name, ack := range map[string]model.TermAck{"by a round": {}, "by a voter's word": {Node: "node2", Term: leadersTerm + 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newLedBy(t, voters("node1", "node2", "node3")...)
				n.term = leadersTerm + 1
				n.answer["node2"], n.answer["node3"] = says(n.term), says(n.term)
				time.AfterFunc(time.Second, func() { n.mustCommit(t, committed+2, leadersTerm+1) })
				index, err := n.read(t, ack)
				require.NoError(t, err)
				require.Equal(t, uint64(committed+2), index)
			})
		})
	}
}

// A node that led before knows of an older term of its own that it was open, which says nothing of this one.
func TestEachTermIsOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newLedBy(t, voters("node1", "node2", "node3")...)
		x := n.indexer(t)
		_, err := x.IndexFor(t.Context(), model.TermAck{})
		require.NoError(t, err)
		require.NotEmpty(t, n.whoWasAsked())
		n.term = leadersTerm + 2
		_, err = x.IndexFor(t.Context(), model.TermAck{})
		require.ErrorIs(t, err, model.ErrNotLeader)
		require.Empty(t, n.whoWasAsked())
	})
}

// Readers wait for a round, also those of the next one: it ends in its time, whatever it was spent on.
func TestARoundEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newLedBy(t, voters("node1", "node2", "node3")...)
		n.term = leadersTerm + 1
		n.answer["node2"], n.answer["node3"] = hangs, hangs
		time.AfterFunc(time.Second, func() { n.mustCommit(t, committed+2, leadersTerm+1) })
		began := time.Now()
		n.requireRefused(t, model.TermAck{})
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}

// The voters were asked at one moment, and this node may have been deposed at the next.
func TestWhoLosesTheLeadDuringARoundAnswersNothing(t *testing.T) {
	for name, loses := range map[string]func(*ledBy){
		"a follower":          func(n *ledBy) { n.set(func() { n.state = raft.Follower }) },
		"a leader once more":  func(n *ledBy) { n.set(func() { n.term += 2 }) },
		"with a failing disk": func(n *ledBy) { n.mayLead = false },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newLedBy(t, voters("node1", "node2", "node3")...)
				n.answer["node2"] = func(context.Context) (uint64, error) { loses(n); return leadersTerm, nil }
				n.answer["node3"] = n.answer["node2"]
				n.requireRefused(t, model.TermAck{})
				require.NotEmpty(t, n.whoWasAsked())
			})
		})
	}
}

// A voter that has said which term it is in after its reads arrived is not asked again: that is the round that a read
// on a follower saves. Nobody else's word counts for that.
func TestAVotersWordTakesThePlaceOfAQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		ack     model.TermAck
		members []raft.Server
		spared  bool
	}{
		"a voter of three":  {model.TermAck{Node: "node2", Term: leadersTerm}, voters("node1", "node2", "node3"), true},
		"in an older term":  {model.TermAck{Node: "node2", Term: leadersTerm - 1}, voters("node1", "node2", "node3"), false},
		"in a newer term":   {model.TermAck{Node: "node2", Term: leadersTerm + 1}, voters("node1", "node2", "node3"), false},
		"a stranger":        {model.TermAck{Node: "node9", Term: leadersTerm}, voters("node1", "node2", "node3"), false},
		"the leader itself": {model.TermAck{Node: "node1", Term: leadersTerm}, voters("node1", "node2", "node3"), false},
		"a replica":         {model.TermAck{Node: "node4", Term: leadersTerm}, withReplica(voters("node1", "node2", "node3"), "node4"), false},
		"a voter of four":   {model.TermAck{Node: "node2", Term: leadersTerm}, voters("node1", "node2", "node3", "node4"), false},
		"for no voter":      {model.TermAck{Node: "node2", Term: leadersTerm}, voters("node2", "node3"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newLedBy(t, c.members...)
				index, err := n.read(t, c.ack)
				require.NoError(t, err)
				require.Equal(t, uint64(committed), index)
				require.Equal(t, c.spared, len(n.whoWasAsked()) == 0)
			})
		})
	}
}

// The word of a voter proves nothing for a node that no longer leads, or whose disk takes no more writes.
func TestAVotersWordMakesNobodyALeader(t *testing.T) {
	for name, not := range map[string]func(*ledBy){
		"a follower":          func(n *ledBy) { n.state = raft.Follower },
		"with a failing disk": func(n *ledBy) { n.mayLead = false },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newLedBy(t, voters("node1", "node2", "node3")...)
				not(n)
				n.requireRefused(t, model.TermAck{Node: "node2", Term: leadersTerm})
				n.requireRefused(t, model.TermAck{})
				require.Empty(t, n.whoWasAsked(), "nobody's answer would help")
			})
		})
	}
}

// A voter that is slow, as one is that has just been killed, would otherwise hold up every linearizable read for as long
// as a connection takes to fail; one that says no needs no waiting at all.
func TestTheOtherVotersAreAskedWhereTheFirstAreNoHelp(t *testing.T) {
	for name, c := range map[string]struct {
		first  func(context.Context) (uint64, error)
		within time.Duration
	}{
		"slow":    {hangs, 10 * time.Millisecond},
		"down":    {isDown, 0},
		"left us": {says(leadersTerm + 1), 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newLedBy(t, voters("node1", "node2", "node3")...)
				n.answer["node2"] = c.first
				began := time.Now()
				_, err := n.read(t, model.TermAck{})
				require.NoError(t, err)
				require.Equal(t, c.within, time.Since(began))
				require.Equal(t, []raft.ServerID{"node2", "node3"}, n.whoWasAsked())
			})
		})
	}
}

// One question is enough for three voters, and goes to the one that answered last time: asking a dead one first would
// cost every read the time after which another is asked.
func TestTheVoterThatAnsweredIsAskedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newLedBy(t, voters("node1", "node2", "node3")...)
		x := n.indexer(t)
		n.answer["node2"] = isDown
		for _, asked := range [][]raft.ServerID{{"node2", "node3"}, {"node3"}, {"node3"}} {
			_, err := x.IndexFor(t.Context(), model.TermAck{})
			require.NoError(t, err)
			require.Equal(t, asked, n.whoWasAsked())
		}
	})
}

// What the voters said before a read came in says nothing of who leads when it does. All reads that wait share what
// comes then.
func TestARoundServesOnlyTheReadsBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newLedBy(t, voters("node1", "node2", "node3")...)
		answered := make(chan struct{})
		n.answer["node2"] = func(context.Context) (uint64, error) { <-answered; return leadersTerm, nil }
		n.answer["node3"] = n.answer["node2"]
		x := n.indexer(t)
		read := func(index *uint64) {
			var err error
			*index, err = x.IndexFor(t.Context(), model.TermAck{})
			require.NoError(t, err)
		}
		var before, after, afterToo uint64
		go read(&before)
		synctest.Wait()
		n.mustCommit(t, committed+1, leadersTerm)
		go read(&after)
		go read(&afterToo)
		synctest.Wait()
		close(answered)
		synctest.Wait()
		require.Equal(t, []uint64{committed, committed + 1, committed + 1}, []uint64{before, after, afterToo})
		require.Equal(t, 2, n.rounds)
	})
}

// Who gives up first is told that its time is over: that nobody leads would be a guess.
func TestAReadThatDoesNotWaitForARoundTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newLedBy(t, voters("node1", "node2", "node3")...)
		n.answer["node2"], n.answer["node3"] = hangs, hangs
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := n.indexer(t).IndexFor(ctx, model.TermAck{})
		require.ErrorIs(t, err, model.ErrTimeout)
		require.NotErrorIs(t, err, model.ErrNotLeader)
	})
}
