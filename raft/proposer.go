package raft

import (
	"context"
	"errors"
	"sync/atomic"
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

// proposal is what one caller wants written. Of its caller, who may give up, and the proposer, who
// may take it, only one gets it.
type proposal struct {
	units   []model.Unit
	claimed atomic.Bool
	done    chan result
}

func (p *proposal) claim() bool { return p.claimed.CompareAndSwap(false, true) }

// proposer turns waiting proposals into log entries.
type proposer struct {
	ctx   context.Context // ends with the node
	apply func(data []byte, timeout time.Duration) raft.ApplyFuture
	// hopeless says whether what was proposed will not be applied here in time: this node leads no more,
	// and its store holds it up.
	hopeless func() bool
	// mayLead is false while the log is held: what is proposed then would wait for the disk.
	mayLead func() bool
	// transferStuck is called when a transfer of leadership never ends.
	transferStuck func()
	transfer      transferWatch
	// writes is held by every group until it is applied, and as a whole while a restore is committed.
	writes    *semaphore.Weighted
	fsm       *VersionFSM
	collector *group.Collector[*proposal]
}

func newProposer(ctx context.Context, r *raft.Raft, fsm *VersionFSM, stuck func() bool) *proposer {
	p := &proposer{ctx: ctx, apply: r.Apply, fsm: fsm, mayLead: func() bool { return true }, transferStuck: func() {}, writes: semaphore.NewWeighted(writesAtOnce)}
	p.hopeless = func() bool { return !p.mayLead() || r.State() != raft.Leader && stuck() }
	p.collector = group.NewCollector(proposerLimits, p.send)
	return p
}

// propose writes units, all in one log entry, and gives their outcomes in order once this node has
// applied them. There are at most model.CommandsPerEntryMax commands in them. Errors: ErrNotLeader, ErrTooManyRequests and ErrTimeout (nothing was proposed),
// ErrOutcomeUnknown.
func (p *proposer) propose(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, error) {
	item := &proposal{units: units, done: make(chan result, 1)}
	if err := p.collector.Add(item, wire.UnitsBytes(units), model.CountCommands(units)); err != nil {
		return nil, err
	}
	select {
	case r := <-item.done:
		return r.outcomes, r.err
	case <-ctx.Done():
	}
	if item.claim() {
		return nil, model.ErrTimeout
	}
	select {
	case r := <-item.done: // it came together with the deadline
		return r.outcomes, r.err
	default:
		return nil, errors.Join(model.ErrOutcomeUnknown, ctx.Err())
	}
}

// send proposes one group as one entry, without what its callers gave up meanwhile.
func (p *proposer) send(items []*proposal) {
	if p.writes.Acquire(p.ctx, 1) == nil { // when the node ends, it does not matter
		defer p.writes.Release(1)
	}
	taken := items[:0]
	var units []model.Unit
	for _, item := range items {
		if item.claim() {
			taken = append(taken, item)
			units = append(units, item.units...)
		}
	}
	if len(taken) == 0 {
		return
	}
	if !p.mayLead() {
		distribute(taken, result{err: model.ErrNotLeader})
		return
	}
	p.fsm.observer.Proposed(model.CountCommands(units))
	distribute(taken, p.await(wire.AppendUnits(nil, units), p.hopeless))
}

// await proposes one entry and waits until this node has applied it, cannot any more, or stops. Hashicorp's futures
// know no context and may never resolve on a node that shuts down, so one is awaited aside.
func (p *proposer) await(data []byte, hopeless func() bool) result {
	settled := make(chan result, 1)
	p.fsm.proposals.Add(1)
	go func() {
		defer p.fsm.proposals.Add(-1)
		settled <- p.awaitApplied(p.apply(data, enqueueTimeout))
	}()
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
	if err := future.Error(); err != nil {
		if errors.Is(err, raft.ErrLeadershipTransferInProgress) && p.transfer.refused(time.Now()) {
			p.transferStuck()
		}
		return result{err: proposalError(err)}
	}
	h, ok := future.Response().(*handle)
	if !ok || h == nil {
		return result{err: model.ErrOutcomeUnknown}
	}
	return <-h.done
}

func distribute(items []*proposal, r result) {
	for _, item := range items {
		if r.err != nil {
			item.done <- r
			continue
		}
		n := len(item.units)
		item.done <- result{outcomes: r.outcomes[:n:n]}
		r.outcomes = r.outcomes[n:]
	}
}
