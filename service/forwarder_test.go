package service

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// leading is a leader at the other end of the forwarder. It answers each request as the test says.
type leading struct {
	mu       sync.Mutex
	requests [][]model.Command
	answer   func(ctx context.Context, request int, commands []model.Command) ([]model.Outcome, uint64, error)
}

func (l *leading) commands(ctx context.Context, commands []model.Command) ([]model.Outcome, uint64, error) {
	l.mu.Lock()
	l.requests = append(l.requests, slices.Clone(commands))
	n := len(l.requests)
	l.mu.Unlock()
	return l.answer(ctx, n, commands)
}

func (l *leading) got() [][]model.Command {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}

// revisionOf makes up an outcome that tells which command it belongs to.
func revisionOf(c model.Command) uint64 { return uint64(len(c.ID))*1000 + uint64(c.ID[len(c.ID)-1]) }

func done(commands []model.Command) []model.Outcome {
	outcomes := make([]model.Outcome, len(commands))
	for i, c := range commands {
		outcomes[i] = model.Outcome{Code: model.OutcomeDone, Revision: revisionOf(c)}
	}
	return outcomes
}

// mustFollow gives a service that takes l for its leader. It runs no Raft, so it leads nothing itself.
func mustFollow(t *testing.T, l *leading) *VersionService {
	t.Helper()
	peers := newFakePeers()
	peers.onCommands = l.commands
	n := nodeOptions{peers: peers}.mustOpen(t)
	n.forwarder.leader = func() (id, address string) { return "node2", "node2:7001" }
	return n.VersionService
}

// Writes that wait for the leader must share a request, and each client must get the outcome of its
// own write and not its neighbour's.
func TestForwarderGroupsAndTellsOutcomesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		l := &leading{answer: func(_ context.Context, n int, commands []model.Command) ([]model.Outcome, uint64, error) {
			<-held
			return done(commands), uint64(n), nil
		}}
		peers := newFakePeers()
		peers.onCommands = l.commands
		f := newForwarder(t.Context(), peers, func() (id, address string) { return "node2", "node2:7001" })
		var wg sync.WaitGroup
		forward := func(id string) {
			wg.Go(func() {
				c := add(id, "1")
				outcome, index, err := f.forward(t.Context(), c)
				if err != nil || outcome.Revision != revisionOf(c) || index == 0 {
					t.Errorf("%s: %+v at %d, %v", id, outcome, index, err)
				}
			})
		}
		for n := range forwardLimits.InFlightMax {
			forward(fmt.Sprint("first-", n))
			synctest.Wait()
		}
		for i := range 90 {
			forward(fmt.Sprintf("%0*d", i/9+1, i))
		}
		synctest.Wait()
		require.Len(t, l.got(), forwardLimits.InFlightMax, "more requests were on their way than may be")
		close(held)
		wg.Wait()
		f.close()
		require.Len(t, l.got(), forwardLimits.InFlightMax+1)
		require.Len(t, l.got()[forwardLimits.InFlightMax], 90, "what waited did not share a request")
	})
}

// A leader that says it leads no more has done nothing: its follower must look for the next one.
func TestForwarderTriesAgainAfterNotLeader(t *testing.T) {
	l := &leading{answer: func(_ context.Context, n int, commands []model.Command) ([]model.Outcome, uint64, error) {
		if n < 4 {
			return nil, 0, fmt.Errorf("%w: try node3", model.ErrNotLeader)
		}
		return done(commands), 9, nil
	}}
	result, err := mustFollow(t, l).AddVersion(within(t, 10*time.Second), record("a", "1"))
	require.NoError(t, err)
	require.EqualValues(t, 9, result.Index)
	require.Len(t, l.got(), 4)
}

// When nobody takes a write until its client's time is over, the client must be told that nothing
// happened, and when nobody will.
func TestForwarderGivesUpWithNothingDone(t *testing.T) {
	l := &leading{answer: func(context.Context, int, []model.Command) ([]model.Outcome, uint64, error) {
		return nil, 0, model.ErrNotLeader
	}}
	s := mustFollow(t, l)
	began := time.Now()
	_, err := s.AddVersion(within(t, 200*time.Millisecond), record("a", "1"))
	require.ErrorIs(t, err, model.ErrNoLeader)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	require.GreaterOrEqual(t, time.Since(began), 150*time.Millisecond, "it gave up before its time")
	require.Greater(t, len(l.got()), 2)
}

// A write whose outcome is not known must never be sent again: it would happen twice. Nor must one that
// was refused for good.
func TestForwarderNeverRepeatsWhatMayHaveHappened(t *testing.T) {
	for _, sentinel := range []error{
		model.ErrOutcomeUnknown, model.ErrTooManyRequests, model.ErrStoreUnavailable, model.ErrInvalid, model.ErrWrongNode, model.ErrInternal,
		fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, model.ErrNotLeader),
	} {
		t.Run(sentinel.Error(), func(t *testing.T) {
			l := &leading{answer: func(context.Context, int, []model.Command) ([]model.Outcome, uint64, error) {
				return nil, 0, fmt.Errorf("%w, it says", sentinel)
			}}
			_, err := mustFollow(t, l).AddVersion(within(t, 5*time.Second), record("a", "1"))
			require.ErrorIs(t, err, sentinel)
			require.Len(t, l.got(), 1)
		})
	}
}

// A refusal on one record must come back with the revision that stood in the way, as on the leader.
func TestForwardedOutcomesAreDomainErrors(t *testing.T) {
	outcome := model.Outcome{Code: model.OutcomeAlreadyExists, Revision: 77}
	l := &leading{answer: func(context.Context, int, []model.Command) ([]model.Outcome, uint64, error) {
		return []model.Outcome{outcome}, 5, nil
	}}
	s := mustFollow(t, l)
	result, err := s.AddVersion(within(t, 5*time.Second), record("a", "1"))
	require.ErrorIs(t, err, model.ErrAlreadyExists)
	require.EqualValues(t, 77, result.Record.Revision)
	require.EqualValues(t, 5, result.Index)
	require.Len(t, l.got(), 1)
}

// A client that gives up learns whether its write was on its way: if it was not it must never be sent,
// if it was nobody knows.
func TestClientsThatGiveUp(t *testing.T) {
	held := make(chan struct{})
	l := &leading{answer: func(_ context.Context, n int, commands []model.Command) ([]model.Outcome, uint64, error) {
		<-held
		return done(commands), uint64(n), nil
	}}
	s := mustFollow(t, l)
	hurried := within(t, 300*time.Millisecond)
	onTheirWay := make(chan error, forwardLimits.InFlightMax)
	for n := range forwardLimits.InFlightMax {
		go func() {
			_, err := s.AddVersion(hurried, record(fmt.Sprint("sent-", n), "1"))
			onTheirWay <- err
		}()
		eventually(t, func() bool { return len(l.got()) == n+1 })
	}
	_, err := s.AddVersion(hurried, record("waiting", "1"))
	require.ErrorIs(t, err, model.ErrNoLeader)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	for range forwardLimits.InFlightMax {
		require.ErrorIs(t, <-onTheirWay, model.ErrOutcomeUnknown)
	}
	close(held)
	_, err = s.AddVersion(within(t, 5*time.Second), record("next", "1"))
	require.NoError(t, err)
	for _, commands := range l.got() {
		for _, c := range commands {
			require.NotEqual(t, "waiting", c.ID, "a write was sent after its client was told that it was not")
		}
	}
}

// Requests that break a rule must be refused before anybody is asked: what reaches the log is there
// for ever.
func TestInvalidWritesAreNotSent(t *testing.T) {
	l := &leading{}
	s := mustFollow(t, l)
	ctx := within(t, time.Second)
	_, err := s.AddVersion(ctx, model.VersionDB{ID: "a/b", VersionNo: "1", Platform: "linux"})
	require.ErrorIs(t, err, model.ErrInvalid)
	_, err = s.UpdateVersion(ctx, model.VersionDB{ID: "a", VersionNo: "", Platform: "linux"}, 0)
	require.ErrorIs(t, err, model.ErrInvalid)
	_, err = s.DeleteVersion(ctx, "..", 0)
	require.ErrorIs(t, err, model.ErrInvalid)
	require.Empty(t, l.got())
}

// A node that stops must let its clients go, and not hang on a leader that does not answer.
func TestStoppingEndsWhatIsForwarded(t *testing.T) {
	l := &leading{answer: func(ctx context.Context, _ int, _ []model.Command) ([]model.Outcome, uint64, error) {
		<-ctx.Done()
		return nil, 0, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, ctx.Err())
	}}
	s := mustFollow(t, l)
	sent := make(chan error, 1)
	ctx := within(t, 30*time.Second)
	go func() {
		_, err := s.AddVersion(ctx, record("a", "1"))
		sent <- err
	}()
	eventually(t, func() bool { return len(l.got()) == 1 })
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-sent, model.ErrOutcomeUnknown)
	_, err := s.AddVersion(ctx, record("b", "1"))
	require.ErrorIs(t, err, model.ErrNoLeader)
	require.Len(t, l.got(), 1)
}
