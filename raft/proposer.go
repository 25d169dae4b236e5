package raft

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

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
)

// proposerLimits: one item is what one caller proposes; while one entry is applied the next
// one is being replicated. More on their way would only make the groups smaller.
var proposerLimits = group.Limits{GroupSizeMax: entryBytesMax, GroupItemsMax: model.CommandsPerEntryMax, InFlightMax: 2, WaitingItemsMax: 10_000}

// proposal is what one caller wants written. Of its caller, who may give up, and the proposer, who
// may take it, only one gets it.
type proposal struct {
	commands []model.Command
	claimed  atomic.Bool
	done     chan result
}

func (p *proposal) claim() bool { return p.claimed.CompareAndSwap(false, true) }

// proposer turns waiting proposals into log entries.
type proposer struct {
	ctx       context.Context // ends with the node
	apply     func(data []byte, timeout time.Duration) raft.ApplyFuture
	fsm       *VersionFSM
	collector *group.Collector[*proposal]
}

func newProposer(ctx context.Context, r *raft.Raft, fsm *VersionFSM) *proposer {
	p := &proposer{ctx: ctx, apply: r.Apply, fsm: fsm}
	p.collector = group.NewCollector(proposerLimits, p.send)
	return p
}

// propose writes commands, all in one log entry, and gives their outcomes in order once this node has
// applied them. Errors: ErrNotLeader, ErrTooManyRequests and ErrTimeout (nothing was proposed),
// ErrOutcomeUnknown.
func (p *proposer) propose(ctx context.Context, commands []model.Command) ([]model.Outcome, error) {
	item := &proposal{commands: commands, done: make(chan result, 1)}
	if err := p.collector.Add(item, commandsBytes(commands)); err != nil {
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

func commandsBytes(commands []model.Command) int {
	bytes := 0
	for i := range commands {
		bytes += wire.CommandBytes(&commands[i])
	}
	return bytes
}

// send proposes one group, split where it holds more commands than an entry may.
func (p *proposer) send(items []*proposal) {
	for len(items) > 0 {
		n := fitEntry(items)
		p.sendEntry(items[:n])
		items = items[n:]
	}
}

func fitEntry(items []*proposal) int {
	n, commands := 1, len(items[0].commands)
	for n < len(items) {
		if commands += len(items[n].commands); commands > model.CommandsPerEntryMax {
			break
		}
		n++
	}
	return n
}

func (p *proposer) sendEntry(items []*proposal) {
	taken := items[:0]
	var commands []model.Command
	for _, item := range items {
		if item.claim() {
			taken = append(taken, item)
			commands = append(commands, item.commands...)
		}
	}
	if len(taken) == 0 {
		return
	}
	p.fsm.observer.Proposed(len(commands))
	distribute(taken, p.await(wire.AppendCommands(nil, commands)))
}

// await proposes one entry and waits until this node has applied it, or stops. Hashicorp's futures
// know no context and may never resolve on a node that shuts down, so one is awaited aside.
func (p *proposer) await(data []byte) result {
	settled := make(chan result, 1)
	p.fsm.proposals.Add(1)
	go func() {
		defer p.fsm.proposals.Add(-1)
		settled <- p.awaitApplied(p.apply(data, enqueueTimeout))
	}()
	select {
	case r := <-settled:
		return r
	case <-p.ctx.Done():
		return result{err: model.ErrOutcomeUnknown}
	}
}

func (p *proposer) awaitApplied(future raft.ApplyFuture) result {
	if err := future.Error(); err != nil {
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
		n := len(item.commands)
		item.done <- result{outcomes: r.outcomes[:n:n]}
		r.outcomes = r.outcomes[n:]
	}
}
