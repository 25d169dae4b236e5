package raft

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/units"
	"versiond/wire"
)

// A store whose rows are wrong, though its state row is right, must be built anew on request, from the
// log alone and from a snapshot, also while writes go on. If this fails, a node that knows that its
// records are wrong keeps them.
func TestRebuildStore(t *testing.T) {
	for name, snapshot := range map[string]bool{"from the log": false, "from a snapshot": true} {
		t.Run(name, func(t *testing.T) {
			c := newTestConfig(t)
			n := c.mustLead(t)
			defer n.close(t)
			n.mustAdd(t, "first", 30)
			if snapshot {
				n.mustSnapshot(t)
			}
			n.mustAdd(t, "second", 30)
			want := c.store.Rows()
			c.store.Mu.Lock()
			delete(c.store.Table, "first-3")
			c.store.Table["forged"] = model.Version{ID: "forged"}
			c.store.Mu.Unlock()

			writing := make(chan struct{})
			go func() {
				defer close(writing)
				for i := range 50 {
					_, _ = n.Propose(t.Context(), units.Singles(add(fmt.Sprint("meanwhile-", i))))
				}
			}()
			require.NoError(t, n.RebuildStore(t.Context()))
			<-writing
			require.Eventually(t, n.Serving, 10*time.Second, time.Millisecond)
			rows := c.store.Rows()
			require.NotContains(t, rows, "forged")
			for id, v := range want {
				require.Equal(t, v, rows[id])
			}
			require.Len(t, rows, len(want)+50)
		})
	}
}

// An entry that was applied when a rebuild is asked for is applied again after it. Whoever proposed it may be gone, as after
// the lead was handed over. If this fails, the applier waits for him for ever, and the node serves nothing any more.
func TestRebuildAppliesAgainWhatNobodyWaitsFor(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	defer n.close(t)
	n.fsm.proposals.Add(1) // another proposal, for whose sake every entry gets a handle
	defer n.fsm.proposals.Add(-1)
	c.store.RefuseCommits(1 << 30)
	n.current().raft.Apply(wire.AppendUnits(nil, units.Singles(add("a"))), 0)
	require.Eventually(t, n.pace.goesOn, 10*time.Second, time.Millisecond, "the applier is in the middle of a transaction")
	rebuilt := n.fsm.queue.requestRebuild()
	c.store.RefuseCommits(0)
	select {
	case <-rebuilt:
	case <-time.After(20 * time.Second):
		t.Fatal("the store is never built anew")
	}
	n.mustAdd(t, "b", 1)
	require.Contains(t, c.store.Rows(), "a")
}

func (p *pace) goesOn() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.began.IsZero()
}

// A store that has become somebody else's must not be cleared, also when ours was to be built anew.
func TestRebuildKeepsOffForeignStores(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	defer n.close(t)
	n.mustAdd(t, "mine", 3)
	c.store.Mu.Lock()
	c.store.State.Node = "node9"
	before := len(c.store.Table)
	c.store.Mu.Unlock()
	require.ErrorIs(t, n.RebuildStore(t.Context()), model.ErrForeignStore)
	require.Len(t, c.store.Rows(), before)
}
