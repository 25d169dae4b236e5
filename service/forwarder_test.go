package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/cluster"
)

// leading is a leader at the other end of the forwarder. It answers each request as the test says.
type leading struct {
	mu       sync.Mutex
	requests [][]model.Unit
	answer   func(ctx context.Context, request int, units []model.Unit) ([]model.UnitOutcome, uint64, error)
}

func (l *leading) commands(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	l.mu.Lock()
	l.requests = append(l.requests, slices.Clone(units))
	n := len(l.requests)
	l.mu.Unlock()
	return l.answer(ctx, n, units)
}

func (l *leading) got() [][]model.Unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}

// revisionOf makes up an outcome that tells which command it belongs to.
func revisionOf(c model.Command) uint64 { return uint64(len(c.ID))*1000 + uint64(c.ID[len(c.ID)-1]) }

func done(units []model.Unit) []model.UnitOutcome {
	outcomes := make([]model.UnitOutcome, len(units))
	for i, u := range units {
		for _, c := range u.Commands {
			outcomes[i].Outcomes = append(outcomes[i].Outcomes, model.Outcome{Code: model.OutcomeDone, Revision: revisionOf(c)})
		}
	}
	return outcomes
}

// follower has no more of a node than what passes writes on to l.
type follower struct {
	*writer
	stop func()
}

func follow(t *testing.T, l *leading) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	leader := func() (id, address string) { return "node2", "node2:7001" }
	forwarder := newForwarder(ctx, forwardLimits, leader, func(ctx context.Context, _ string, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
		return l.commands(ctx, units)
	})
	f := &follower{writer: &writer{forwarder: forwarder, cluster: cluster.New(cluster.Parts{Log: slog.New(slog.DiscardHandler), Stopped: ctx.Done()})}}
	f.stop = sync.OnceFunc(func() { cancel(); forwarder.close() })
	t.Cleanup(f.stop)
	return f
}

// add passes a write on as writer.submit does.
func (f *follower) add(ctx context.Context, id string) (outcome model.Outcome, index uint64, err error) {
	err = f.cluster.WithLeader(ctx, func(ctx context.Context) (err error) {
		var unit model.UnitOutcome
		if unit, index, err = f.forwarder.forward(ctx, model.Single(add(id, "1")), len(id), 1); err == nil {
			outcome = unit.Outcomes[0]
		}
		return err
	})
	return outcome, index, nothingProposed(err, false)
}

// Writes that wait for the leader must share a request, and each client must get the outcome of its
// own write and not its neighbour's.
func TestForwarderGroupsAndTellsOutcomesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		l := &leading{answer: func(_ context.Context, n int, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
			<-held
			return done(units), uint64(n), nil
		}}
		f := follow(t, l)
		var wg sync.WaitGroup
		forward := func(id string) {
			wg.Go(func() {
				outcome, index, err := f.add(t.Context(), id)
				if err != nil || outcome.Revision != revisionOf(add(id, "1")) || index == 0 {
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
		require.Len(t, l.got(), forwardLimits.InFlightMax+1)
		require.Len(t, l.got()[forwardLimits.InFlightMax], 90, "what waited did not share a request")
	})
}

// A leader that says it leads no more has done nothing: its follower must look for the next one.
func TestForwarderTriesAgainAfterNotLeader(t *testing.T) {
	l := &leading{answer: func(_ context.Context, n int, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
		if n < 4 {
			return nil, 0, fmt.Errorf("%w: try node3", model.ErrNotLeader)
		}
		return done(units), 9, nil
	}}
	_, index, err := follow(t, l).add(within(t, 10*time.Second), "a")
	require.NoError(t, err)
	require.EqualValues(t, 9, index)
	require.Len(t, l.got(), 4)
}

// When nobody takes a write until its client's time is over, the client must be told that nothing
// happened, and when nobody will. (Of a request that is on its way at that very moment nobody knows.)
func TestForwarderGivesUpWithNothingDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &leading{answer: func(context.Context, int, []model.Unit) ([]model.UnitOutcome, uint64, error) {
			return nil, 0, model.ErrNotLeader
		}}
		const pollInterval = 20 * time.Millisecond        // of cluster.WithLeader
		const patience = 10*pollInterval - pollInterval/2 // between two requests
		began := time.Now()
		_, _, err := follow(t, l).add(within(t, patience), "a")
		require.ErrorIs(t, err, model.ErrNoLeader)
		require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
		require.Equal(t, patience, time.Since(began), "it gave up before its time")
		require.Len(t, l.got(), 10)
	})
}

// A write whose outcome is not known must never be sent again: it would happen twice. Nor must one that
// was refused for good.
func TestForwarderNeverRepeatsWhatMayHaveHappened(t *testing.T) {
	for _, sentinel := range []error{
		model.ErrOutcomeUnknown, model.ErrTooManyRequests, model.ErrStoreUnavailable, model.ErrInvalid, model.ErrWrongNode, model.ErrInternal,
		fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, model.ErrNotLeader),
	} {
		t.Run(sentinel.Error(), func(t *testing.T) {
			l := &leading{answer: func(context.Context, int, []model.Unit) ([]model.UnitOutcome, uint64, error) {
				return nil, 0, fmt.Errorf("%w, it says", sentinel)
			}}
			_, _, err := follow(t, l).add(within(t, 5*time.Second), "a")
			require.ErrorIs(t, err, sentinel)
			require.Len(t, l.got(), 1)
		})
	}
}

// A client that gives up learns whether its write was on its way: if it was not it must never be sent,
// if it was nobody knows.
func TestClientsThatGiveUp(t *testing.T) {
	held := make(chan struct{})
	l := &leading{answer: func(_ context.Context, n int, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
		<-held
		return done(units), uint64(n), nil
	}}
	f := follow(t, l)
	hurried := within(t, 300*time.Millisecond)
	onTheirWay := make(chan error, forwardLimits.InFlightMax)
	for n := range forwardLimits.InFlightMax {
		go func() {
			_, _, err := f.add(hurried, fmt.Sprint("sent-", n))
			onTheirWay <- err
		}()
		eventually(t, func() bool { return len(l.got()) == n+1 })
	}
	_, _, err := f.add(hurried, "waiting")
	require.ErrorIs(t, err, model.ErrNoLeader)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	for range forwardLimits.InFlightMax {
		require.ErrorIs(t, <-onTheirWay, model.ErrOutcomeUnknown)
	}
	close(held)
	_, _, err = f.add(within(t, 5*time.Second), "next")
	require.NoError(t, err)
	for _, units := range l.got() {
		for _, u := range units {
			require.NotEqual(t, "waiting", u.Commands[0].ID, "a write was sent after its client was told that it was not")
		}
	}
}

// Requests that break a rule must be refused before anybody is asked: what reaches the log is there
// for ever.
func TestInvalidWritesAreNotSent(t *testing.T) {
	s := nodeOptions{}.mustOpen(t)
	ctx := within(t, time.Second)
	_, err := s.AddVersion(ctx, model.VersionDB{ID: "a/..", VersionNo: "1", Platform: "linux"}, model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrInvalid)
	_, err = s.UpdateVersion(ctx, model.VersionDB{ID: "a", VersionNo: "", Platform: "linux"}, model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrInvalid)
	_, err = s.DeleteVersion(ctx, "..", model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrInvalid)
	require.NoError(t, ctx.Err(), "it looked for a leader first")
}

// A node that stops must let its clients go, and not hang on a leader that does not answer.
func TestStoppingEndsWhatIsForwarded(t *testing.T) {
	l := &leading{answer: func(ctx context.Context, _ int, _ []model.Unit) ([]model.UnitOutcome, uint64, error) {
		<-ctx.Done()
		return nil, 0, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, ctx.Err())
	}}
	f := follow(t, l)
	sent := make(chan error, 1)
	ctx := within(t, 30*time.Second)
	go func() {
		_, _, err := f.add(ctx, "a")
		sent <- err
	}()
	eventually(t, func() bool { return len(l.got()) == 1 })
	f.stop()
	require.ErrorIs(t, <-sent, model.ErrOutcomeUnknown)
	_, _, err := f.add(ctx, "b")
	require.ErrorIs(t, err, model.ErrNoLeader)
	require.Len(t, l.got(), 1)
}

// A write that waited in vain was not proposed; whether it is worth another try at once depends on why.
func TestWhyAWriteWaitedInVain(t *testing.T) {
	late := fmt.Errorf("%w: %w", model.ErrTimeout, context.DeadlineExceeded)
	require.ErrorIs(t, nothingProposed(late, false), model.ErrNoLeader)
	require.ErrorIs(t, nothingProposed(late, true), model.ErrTooManyRequests)
	require.NotErrorIs(t, nothingProposed(late, true), context.DeadlineExceeded, "it would pass for an open outcome")
	open := errors.Join(model.ErrOutcomeUnknown, late)
	require.Equal(t, open, nothingProposed(open, true))
	require.NoError(t, nothingProposed(nil, true))
}
