package raft

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/semaphore"

	"versiond/group"
	"versiond/model"
	"versiond/wire"
)

const (
	// An entry stays far below hashicorp's suggested 512 KiB, so that one never delays a heartbeat.
	entryBytesMax = 256 << 10
	// enqueueTimeout bounds the wait for hashicorp's main loop to take an entry. It takes one in
	// microseconds; when it does not, the node is stuck and nothing was proposed.
	enqueueTimeout = 2 * time.Second
	// writesAtOnce is how many entries may be on their way at once.
	writesAtOnce = 2
	// hopelessInterval is how soon entries are given up that wait for the store of a leader that was
	// replaced: what gathers behind them has a new leader to go to.
	hopelessInterval = 100 * time.Millisecond
)

// proposerLimits: one item is what one caller proposes, a group is one entry; under load, while one entry is
// applied the next one is being replicated. More on their way would only make the groups smaller. More
// that waits would only make clients wait in vain; an item may be all that a follower passed on.
var proposerLimits = group.Limits{
	GroupSizeMax: entryBytesMax, GroupCountMax: model.CommandsPerEntryMax, InFlightMax: writesAtOnce,
	WaitingItemsMax: 1000, WaitingSizeMax: 16 << 20,
}

// proposer turns waiting proposals into log entries.
type proposer struct {
	ctx   context.Context // ends with the node
	apply func(data []byte, timeout time.Duration) raft.ApplyFuture
	// hopeless reports whether what was proposed will not be applied here in time: this node leads no more,
	// and its store holds it up.
	hopeless func() bool
	// keeps reports whether changes are kept: before, an origin in an entry would stop the nodes of an earlier release.
	keeps func() bool
	// mayLead is false while the log is held: what is proposed then would wait for the disk.
	mayLead  func() bool
	transfer transferWatch
	// writes is held by every group until it is applied, and as a whole while a restore is committed.
	writes  *semaphore.Weighted
	fsm     *VersionFSM
	batcher *group.Batcher[[]model.Unit, []model.UnitOutcome]
}

func newProposer(ctx context.Context, r *raft.Raft, fsm *VersionFSM, progress *progress) *proposer {
	p := &proposer{ctx: ctx, apply: r.Apply, fsm: fsm, mayLead: fsm.stores.Disk.MayLead, keeps: progress.KeepsChanges, writes: semaphore.NewWeighted(writesAtOnce)}
	p.hopeless = func() bool { return !p.mayLead() || r.State() != raft.Leader && progress.sinceMoved() > StuckAfter }
	p.batcher = group.NewBatcher(proposerLimits, p.proposeGroup)
	return p
}

// Propose writes units, of at most model.CommandsPerEntryMax commands, in one log entry and returns their outcomes, in order, once this node has
// applied them. Leader only. Errors: model.ErrNotLeader, ErrTooManyRequests, ErrStoreUnavailable,
// ErrNotCaughtUp and ErrTimeout, after which nothing was proposed, and ErrOutcomeUnknown.
func (n *Node) Propose(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, error) {
	running := n.current()
	switch {
	case running == nil || !running.leads():
		return nil, model.ErrNotLeader
	case n.Stuck():
		return nil, n.whyStuck()
	}
	return running.proposer.batcher.Do(ctx, units, wire.UnitsBytes(units), model.CountCommands(units))
}

// proposeGroup proposes one group as one entry, and returns the outcomes of each proposal.
func (p *proposer) proposeGroup(take func() group.Batch[[]model.Unit]) ([][]model.UnitOutcome, error) {
	if p.writes.Acquire(p.ctx, 1) == nil { // when the node ends, it does not matter
		defer p.writes.Release(1)
	}
	proposals := take().Requests
	if len(proposals) == 0 {
		return nil, nil
	}
	if !p.mayLead() {
		return nil, model.ErrNotLeader
	}
	units := slices.Concat(proposals...)
	if !p.keeps() {
		model.StripOrigins(units)
	}
	p.fsm.observer.Proposed(model.CountCommands(units))
	r := p.await(wire.AppendUnits(nil, units), p.hopeless)
	if r.err != nil {
		return nil, r.err
	}
	return split(r.outcomes, proposals), nil
}

// split returns to each proposal its part of the outcomes.
func split(outcomes []model.UnitOutcome, proposals [][]model.Unit) [][]model.UnitOutcome {
	parts := make([][]model.UnitOutcome, len(proposals))
	for i, units := range proposals {
		n := len(units)
		parts[i], outcomes = outcomes[:n:n], outcomes[n:]
	}
	return parts
}

// await proposes one entry and waits until this node has applied it, cannot any more, or stops. Hashicorp's futures
// know no context and may never resolve on a node that shuts down, so one is awaited aside.
func (p *proposer) await(data []byte, hopeless func() bool) result {
	settled := make(chan result, 1)
	p.fsm.proposals.Add(1)
	go func() { settled <- p.awaitApplied(p.apply(data, enqueueTimeout)) }()
	ticker := time.NewTicker(hopelessInterval)
	defer ticker.Stop()
	for {
		select {
		case r := <-settled:
			return r
		case <-ticker.C:
			if hopeless() {
				return result{err: model.ErrOutcomeUnknown}
			}
		case <-p.ctx.Done():
			return result{err: model.ErrOutcomeUnknown}
		}
	}
}

func (p *proposer) awaitApplied(future raft.ApplyFuture) result {
	err := future.Error()
	p.fsm.proposals.Add(-1) // the FSM has the entry, or never gets it as a proposal: entries of others need no handles for this one
	if err != nil {
		p.noteRefused(err)
		return result{err: proposalError(err)}
	}
	h, ok := future.Response().(*handle)
	if !ok || h == nil {
		return result{err: model.ErrOutcomeUnknown}
	}
	return <-h.done
}

// noteRefused ends the node when it has refused for too long, for a transfer, what it was asked for.
func (p *proposer) noteRefused(err error) {
	if errors.Is(err, raft.ErrLeadershipTransferInProgress) && p.transfer.refused(time.Now()) {
		p.fsm.ending.fail(ErrTransferStuck)
	}
}

// proposeEntry proposes an entry of its own and waits until this node has applied it. done is called then, also when the
// caller has left.
func (p *proposer) proposeEntry(ctx context.Context, data []byte, done func()) (outcome model.Outcome, err error) {
	if !p.mayLead() {
		done()
		return outcome, model.ErrNotLeader
	}
	r, err := aside(ctx, func() result {
		defer done()
		return p.await(data, never) // what is committed will be applied here, whoever leads then
	})
	if err = cmp.Or(err, r.err); err != nil {
		return outcome, err
	}
	return r.outcomes[0].Outcomes[0], nil
}

func never() bool { return false }
