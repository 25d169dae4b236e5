package group_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"versiond/group"
	"versiond/model"
)

var roomy = group.Limits{GroupSizeMax: 1000, GroupCountMax: 1000, InFlightMax: 1, WaitingItemsMax: 100, WaitingSizeMax: 1000}

// doubler is a call that tells its groups, and waits for go before it takes each.
type doubler struct {
	*group.Batcher[int, int]
	going  chan struct{}
	groups chan group.Batch[int] // has room for a group of each caller: that is how many there are on an idle machine
	fail   error
}

func newDoubler(t *testing.T) *doubler {
	d := &doubler{going: make(chan struct{}), groups: make(chan group.Batch[int], 100)}
	d.Batcher = group.NewBatcher(roomy, func(take func() group.Batch[int]) ([]int, error) {
		<-d.going
		batch := take()
		d.groups <- batch
		var doubled []int
		for _, n := range batch.Requests {
			doubled = append(doubled, 2*n)
		}
		return doubled, d.fail
	})
	t.Cleanup(d.Close)
	return d
}

// Each caller gets its own result of the call that it shares. If this fails, somebody is told what became of another
// one's write.
func TestCallersShareACallAndGetTheirOwnResults(t *testing.T) {
	d := newDoubler(t)
	var callers errgroup.Group
	for n := range 50 {
		callers.Go(func() error {
			got, err := d.Do(t.Context(), n, 1, 1)
			if err == nil && got != 2*n {
				err = errors.New("another one's result")
			}
			return err
		})
	}
	close(d.going)
	require.NoError(t, callers.Wait())
}

// A request whose caller gave up before the call took it is left out, and its caller knows that nothing was done.
func TestRequestThatWasGivenUpIsNeverTaken(t *testing.T) {
	d := newDoubler(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Do(ctx, 1, 1, 1)
	require.Equal(t, model.ErrTimeout, err)
	close(d.going)
	require.Empty(t, (<-d.groups).Requests)
}

// A caller that gives up later cannot know what will become of its request.
func TestRequestThatWasTakenIsOfUnknownOutcome(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan struct{})
	b := group.NewBatcher(roomy, func(take func() group.Batch[int]) ([]int, error) {
		requests := take().Requests
		cancel()
		<-end
		return requests, nil
	})
	_, err := b.Do(ctx, 1, 1, 1)
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	close(end)
	b.Close()
}

// What goes wrong with a call goes wrong with all that share it.
func TestErrorOfACallIsThatOfAllItsRequests(t *testing.T) {
	d := newDoubler(t)
	d.fail = model.ErrNotLeader
	close(d.going)
	for n := range 3 {
		_, err := d.Do(t.Context(), n, 1, 1)
		require.ErrorIs(t, err, model.ErrNotLeader)
	}
}

// A call may take as long as the most patient of its callers. If this fails, one hasty client cuts off others.
func TestBatchHasTheLatestDeadline(t *testing.T) {
	d := newDoubler(t)
	var callers errgroup.Group
	deadlines := []time.Time{time.Now().Add(time.Minute), time.Now().Add(time.Hour)}
	for _, deadline := range deadlines {
		callers.Go(func() error {
			ctx, cancel := context.WithDeadline(t.Context(), deadline)
			defer cancel()
			_, err := d.Do(ctx, 1, 1, 1)
			return err
		})
	}
	latest := time.Time{}
	close(d.going)
	require.NoError(t, callers.Wait())
	for range len(d.groups) {
		if batch := <-d.groups; batch.Deadline.After(latest) {
			latest = batch.Deadline
		}
	}
	require.WithinDuration(t, deadlines[1], latest, 0)
	_, err := d.Do(t.Context(), 1, 1, 1)
	require.NoError(t, err)
	require.Zero(t, (<-d.groups).Deadline, "nobody named one")
}
