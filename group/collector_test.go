package group

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func wideLimits() Limits {
	return Limits{GroupSizeMax: 1 << 20, GroupCountMax: 1 << 20, InFlightMax: 1, WaitingItemsMax: 1 << 20, WaitingSizeMax: 1 << 20}
}

// heldSender is a send function that keeps every group until the test lets it go.
type heldSender struct {
	mu     sync.Mutex
	groups [][]int
	letGo  chan struct{}
}

func newHeldSender() *heldSender { return &heldSender{letGo: make(chan struct{})} }

// newPair makes a collector of which two groups may be on their way, until the test lets them go.
func newPair() (*collector[int], *heldSender) {
	limits, held := wideLimits(), newHeldSender()
	limits.InFlightMax = 2
	return newCollector(limits, held.send), held
}

func (h *heldSender) send(items []int) {
	h.mu.Lock()
	h.groups = append(h.groups, slices.Clone(items))
	h.mu.Unlock()
	<-h.letGo
}

func (h *heldSender) sent() [][]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.groups)
}

// groupOf has a collector send a group of n items, which takes so long.
func (h *heldSender) groupOf(t *testing.T, c *collector[int], n int, took time.Duration) {
	t.Helper()
	for range c.limits.InFlightMax {
		require.NoError(t, c.Add(0, 1, 1))
		synctest.Wait()
	}
	for range n { // gather, since all places are taken
		require.NoError(t, c.Add(0, 1, 1))
	}
	for range c.limits.InFlightMax {
		h.letGo <- struct{}{}
		synctest.Wait()
	}
	<-time.After(took) // of the clock of the bubble
	h.letGo <- struct{}{}
	synctest.Wait()
}

// requireLeaveTogether adds n items one by one, and requires that none leaves before the last of them, and all do then.
func (h *heldSender) requireLeaveTogether(t *testing.T, c *collector[int], n int) {
	t.Helper()
	synctest.Wait()
	before, items := len(h.sent()), []int{}
	for i := range n {
		synctest.Wait()
		require.Len(t, h.sent(), before)
		require.NoError(t, c.Add(i, 1, 1))
		items = append(items, i)
	}
	synctest.Wait()
	require.Equal(t, [][]int{items}, h.sent()[before:])
}

func (h *heldSender) releaseAll() { close(h.letGo) }

// An item that is lost leaves its client waiting; one that is sent twice is a write that happens twice.
func TestCollectorSendsEveryItemOnce(t *testing.T) {
	const callers, items = 16, 500
	var mu sync.Mutex
	sent := map[int]int{}
	limits := Limits{GroupSizeMax: 50, GroupCountMax: 7, InFlightMax: 3, WaitingItemsMax: 1 << 20, WaitingSizeMax: 1 << 20}
	c := newCollector(limits, func(group []int) {
		mu.Lock()
		defer mu.Unlock()
		for _, item := range group {
			sent[item]++
		}
	})
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range items {
				if err := c.Add(caller*items+i, i%9, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c.Close()
	require.Len(t, sent, callers*items)
	for item, times := range sent {
		require.Equal(t, 1, times, "item %d", item)
	}
}

// Groups that leave for a few items each, because they may, cost several times what a common one does.
func TestCollectorSendsAGroupBesideAnotherOnlyWhenAsLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		add := func(items ...int) {
			for _, item := range items {
				require.NoError(t, c.Add(item, 1, 1))
			}
			synctest.Wait()
		}
		add(1)
		add(2) // as large as the one on its way
		add(3, 4, 5)
		held.letGo <- struct{}{}
		synctest.Wait()
		require.Equal(t, [][]int{{1}, {2}, {3, 4, 5}}, held.sent())
		held.letGo <- struct{}{}
		add(6, 7)
		require.Len(t, held.sent(), 3)
		add(8)
		require.Equal(t, []int{6, 7, 8}, held.sent()[3])
		add(9)
		held.letGo <- struct{}{}
		synctest.Wait()
		require.Len(t, held.sent(), 4)
		held.letGo <- struct{}{} // the last one on its way
		synctest.Wait()
		require.Equal(t, []int{9}, held.sent()[4])
		held.releaseAll()
		c.Close()
	})
}

// Those who were answered together ask again together, but not at the same instant: the first to come would make a group
// of its own each time, and the others one beside it.
func TestCollectorLingersUntilAGroupIsAsLargeAsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		held.groupOf(t, c, 3, time.Millisecond)
		held.requireLeaveTogether(t, c, 3)
		held.releaseAll()
		c.Close()
	})
}

// Who writes alone after others have left would wait each time for those who are gone.
func TestCollectorLingersAtMostAsLongAsTheLastGroupTook(t *testing.T) {
	for took, bound := range map[time.Duration]time.Duration{time.Millisecond: time.Millisecond, time.Minute: lingerMax} {
		synctest.Test(t, func(t *testing.T) {
			c, held := newPair()
			held.groupOf(t, c, 3, took)
			for i, waits := range []time.Duration{bound, 0, 0} {
				began, before := time.Now(), len(held.sent())
				require.NoError(t, c.Add(10+i, 1, 1))
				held.letGo <- struct{}{}
				synctest.Wait()
				require.Equal(t, waits, time.Since(began))
				require.Equal(t, [][]int{{10 + i}}, held.sent()[before:])
			}
			c.Close()
		})
	}
}

// One group that was large enough ends only its own waiting: those who were in it come back together, too.
func TestCollectorLingersAnewAfterAGroupThatWasLargeEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		held.groupOf(t, c, 3, 2*time.Millisecond)
		held.requireLeaveTogether(t, c, 3)
		<-time.After(1500 * time.Microsecond)
		held.letGo <- struct{}{}
		synctest.Wait()
		before := len(held.sent())
		require.NoError(t, c.Add(9, 1, 1))
		c.endLinger(c.sent - 1) // as the timer of the group before it does when it is too late to be stopped
		<-time.After(time.Millisecond)
		synctest.Wait()
		require.Len(t, held.sent(), before)
		<-time.After(500 * time.Microsecond)
		synctest.Wait()
		require.Equal(t, [][]int{{9}}, held.sent()[before:])
		held.releaseAll()
		c.Close()
	})
}

// What fills a group waits for nothing more, for which there would be no room.
func TestCollectorDoesNotLingerWithAFullGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		held.groupOf(t, c, 3, time.Millisecond)
		before := len(held.sent())
		require.NoError(t, c.Add(9, c.limits.GroupSizeMax, 1))
		synctest.Wait()
		require.Equal(t, [][]int{{9}}, held.sent()[before:])
		held.releaseAll()
		c.Close()
	})
}

// A group of many costs little an item: waiting for yet more would only make clients wait.
func TestCollectorDoesNotLingerWithManyItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		held.groupOf(t, c, 10*lingerCount, time.Millisecond)
		held.requireLeaveTogether(t, c, lingerCount)
		held.releaseAll()
		c.Close()
	})
}

// A node that stops must not have those who linger wait for company that it refuses.
func TestCollectorCloseSendsWhatLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		held.groupOf(t, c, 3, time.Millisecond)
		before := len(held.sent())
		require.NoError(t, c.Add(3, 1, 1))
		held.releaseAll()
		began := time.Now()
		c.Close()
		require.Zero(t, time.Since(began))
		require.Equal(t, [][]int{{3}}, held.sent()[before:])
	})
}

// Single writes beside a large batch must not wait for it when there are enough of them, or until their queue
// is full.
func TestCollectorSendsEnoughBesideALargeGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, held := newPair()
		require.NoError(t, c.Add(0, 1, 100*largeCount))
		held.requireLeaveTogether(t, c, largeCount)
		held.releaseAll()
		c.Close()
	})
}

// A group beyond its bounds would make a log entry or a request that the other side refuses.
func TestCollectorKeepsGroupsWithinBounds(t *testing.T) {
	limits := Limits{GroupSizeMax: 20, GroupCountMax: 5, InFlightMax: 2, WaitingItemsMax: 1 << 20, WaitingSizeMax: 1 << 20}
	var mu sync.Mutex
	inFlight, most := 0, 0
	c := newCollector(limits, func(sizes []int) {
		mu.Lock()
		inFlight++
		most = max(most, inFlight)
		mu.Unlock()
		size := 0
		for _, s := range sizes {
			size += s
		}
		if len(sizes) > limits.GroupCountMax || size > limits.GroupSizeMax && len(sizes) > 1 {
			t.Errorf("a group of %d items, size %d", len(sizes), size)
		}
		mu.Lock()
		inFlight--
		mu.Unlock()
	})
	for i := range 3000 {
		require.NoError(t, c.Add(i%25, i%25, 1))
	}
	c.Close()
	require.LessOrEqual(t, most, limits.InFlightMax)
}

// Writes that come one at a time must not wait for company: that would be their whole latency.
func TestCollectorSendsAtOnceWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		c := newCollector(wideLimits(), h.send)
		require.NoError(t, c.Add(1, 1, 1))
		synctest.Wait()
		require.Equal(t, [][]int{{1}}, h.sent())
		h.releaseAll()
		c.Close()
	})
}

// What comes while a group is on its way must leave together with the next one, in the order in which
// it came: that is what makes the group worth having.
func TestCollectorGathersWhileAGroupIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		c := newCollector(wideLimits(), h.send)
		require.NoError(t, c.Add(0, 1, 1))
		synctest.Wait()
		for i := 1; i <= 4; i++ {
			require.NoError(t, c.Add(i, 1, 1))
		}
		synctest.Wait()
		require.Len(t, h.sent(), 1)
		h.releaseAll()
		synctest.Wait()
		require.Equal(t, [][]int{{0}, {1, 2, 3, 4}}, h.sent())
		c.Close()
	})
}

// Without a bound on what waits, a node whose leader is stuck grows until it is killed. What is
// refused must not be sent after all: its client was told that nothing happened.
func TestCollectorRefusesWhenTooMuchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		limits := wideLimits()
		limits.WaitingItemsMax = 2
		c := newCollector(limits, h.send)
		require.NoError(t, c.Add(0, 1, 1))
		synctest.Wait() // on its way, so it waits no more
		require.NoError(t, c.Add(1, 1, 1))
		require.NoError(t, c.Add(2, 1, 1))
		require.ErrorIs(t, c.Add(3, 1, 1), model.ErrTooManyRequests)
		h.releaseAll()
		synctest.Wait()
		require.NoError(t, c.Add(4, 1, 1), "it takes more once there is room")
		c.Close()
		require.Equal(t, []int{0, 1, 2, 4}, slices.Concat(h.sent()...))
	})
}

// Items count for as many commands as they hold. A group of more than an entry can number would give two
// commands one revision.
func TestCollectorCountsWhatItemsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		limits := wideLimits()
		limits.GroupCountMax = 10
		c := newCollector(limits, h.send)
		for _, count := range []int{1, 6, 4, 1, 30, 9} {
			require.NoError(t, c.Add(count, 1, count))
			synctest.Wait()
		}
		h.releaseAll()
		c.Close()
		require.Equal(t, [][]int{{1}, {6, 4}, {1}, {30}, {9}}, h.sent())
	})
}

// A few large items can take as much memory as many small ones.
func TestCollectorRefusesWhenWhatWaitsIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		limits := wideLimits()
		limits.WaitingSizeMax = 100
		c := newCollector(limits, h.send)
		require.NoError(t, c.Add(0, 1000, 1))
		synctest.Wait() // on its way, so it waits no more
		require.NoError(t, c.Add(1, 1000, 1), "an item that waits alone may be of any size")
		require.ErrorIs(t, c.Add(2, 1, 1), model.ErrTooManyRequests)
		h.releaseAll()
		synctest.Wait()
		require.NoError(t, c.Add(3, 60, 1), "it takes more once there is room")
		c.Close()
		require.Equal(t, []int{0, 1, 3}, slices.Concat(h.sent()...))
	})
}

// One item alone may be larger than a group should be; were it refused or kept, everything behind it
// would wait for ever.
func TestCollectorSendsAnOversizedItemAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		limits := wideLimits()
		limits.GroupSizeMax = 10
		c := newCollector(limits, h.send)
		for _, size := range []int{1, 99, 5, 5, 1} {
			require.NoError(t, c.Add(size, size, 1))
			synctest.Wait()
		}
		h.releaseAll()
		c.Close()
		require.Equal(t, [][]int{{1}, {99}, {5, 5}, {1}}, h.sent())
	})
}

// Close must leave nobody waiting, and nothing may be taken in afterwards: a node that stops would
// otherwise propose for clients that it has already let go.
func TestCollectorCloseDrainsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldSender()
		c := newCollector(wideLimits(), h.send)
		for i := range 3 {
			require.NoError(t, c.Add(i, 1, 1))
		}
		synctest.Wait()
		closed := make(chan struct{})
		go func() { c.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("Close returned while items were on their way")
		default:
		}
		require.ErrorIs(t, c.Add(9, 1, 1), model.ErrNotLeader)
		h.releaseAll()
		<-closed
		require.Equal(t, []int{0, 1, 2}, slices.Concat(h.sent()...))
		c.Close() // a second one has nothing to wait for
	})
}
