package cluster

import (
	"context"
	"time"

	"versiond/group"
	"versiond/peer"
	"versiond/raft"
)

// FarBehind is the lag in log entries beyond which a store is of no use to those who want what is current.
const FarBehind = 5000

const (
	watchdogInterval = 250 * time.Millisecond
	// handOverPause is how long a leader leaves between two attempts to hand over for its store's sake:
	// each one refuses writes for a moment, and leadership that wanders helps nobody.
	handOverPause = 10 * time.Second
	// nobodyPause is how long it leaves the others alone when none of them is better off. It is short:
	// after an outage of all their stores the first one to come back should lead.
	nobodyPause = time.Second
	// voterAnswerTimeout is short: a voter that takes longer to say how it does would do no better.
	voterAnswerTimeout = time.Second

	// A store is slow when a transaction takes slowCommit, which no healthy one takes for a group of
	// records, and slow enough to hand over when another voter's takes slowRatio less. Both nodes write the
	// same entries, the others in larger groups, so the comparison errs on the side of staying. The ratio
	// is also what keeps leadership from coming back: the old leader would have to be that much faster
	// than the new one.
	slowCommit = 100 * time.Millisecond
	slowRatio  = 10
	// slowFor is how long it has to last, slowFresh how old the newest proof of it may be.
	slowFor   = 2 * time.Second
	slowFresh = 3 * time.Second
)

// watchdog has another voter lead when this leader's store does not do its work.
type watchdog struct{ *others }

// watch hands leadership over when this node leads and its store holds up the applier, or is much
// slower than others, to a voter that is better off. Where no voter is, as when all share one database
// server that is down, it stays leader, refuses writes if nothing moves, and goes on by itself once the
// store is back. Hashicorp/raft would do neither: it goes on sending heartbeats (docs/design.md, "A slow or dead store never stalls Raft").
func (d *watchdog) watch(ctx context.Context) {
	var next time.Time
	var w storeWatch
	for range group.Every(ctx, watchdogInterval) {
		took, seen := d.Node.CommitTime()
		w.look(time.Now(), d.Node.IsLeader(), d.Node.Stuck(), took, seen)
		if (w.stuck() || w.slow()) && !time.Now().Before(next) {
			pause := d.handOver(ctx, &w)
			next = time.Now().Add(pause)
		}
	}
}

// storeWatch is what a leader has seen of its store lately.
type storeWatch struct {
	stuckLooks int
	told       bool // that nobody is better off
	slowSince  time.Time
	now        time.Time
	took       time.Duration
}

// look notes how the store does. seen is when it was last at work: a store that nobody uses is not slow.
func (w *storeWatch) look(now time.Time, leads, stuck bool, took time.Duration, seen time.Time) {
	w.now, w.took = now, took
	w.stuckLooks++
	if !leads || !stuck {
		w.stuckLooks, w.told = 0, false
	}
	if !leads || took < slowCommit || now.Sub(seen) > slowFresh {
		w.slowSince = time.Time{}
	} else if w.slowSince.IsZero() {
		w.slowSince = now
	}
}

// stuck wants to be seen twice in a row: a process that was frozen finds everything late when it wakes.
func (w *storeWatch) stuck() bool { return w.stuckLooks >= 2 }

func (w *storeWatch) slow() bool { return !w.slowSince.IsZero() && w.now.Sub(w.slowSince) >= slowFor }

// beat is what another voter's transactions have to be much faster than; 0 when any store that works will do.
func (w *storeWatch) beat() time.Duration {
	if w.stuck() {
		return 0
	}
	return w.took
}

// handOver hands over if there is somebody to hand over to, and returns how long to leave it at that.
func (d *watchdog) handOver(ctx context.Context, w *storeWatch) (pause time.Duration) {
	target, found := d.betterVoter(ctx, w.beat())
	heldUp := d.Node.HeldUp()
	switch {
	case !found && !w.stuck():
		w.slowSince = w.now // slow like all the others, or alone: it does its work, and is looked at again
		return 0
	case !found && heldUp == nil:
		return nobodyPause // it loads a snapshot or its rows, or is at a large transaction, and goes on by itself
	case !found:
		if !w.told {
			d.Log.Error("the store holds up this leader and no other voter is better off; writes are refused until the store is back", "store", d.Node.Store(), "err", heldUp)
		}
		w.told = true
		return nobodyPause
	case w.stuck() && heldUp == nil:
		d.Log.Info("the store of this leader is at work on what came before; handing over to a voter that is further", "to", target.ID)
	case w.stuck():
		d.calm.Warn("the store holds up this leader; handing over", "to", target.ID, "store", d.Node.Store(), "err", heldUp)
	default:
		d.calm.Warn("the store of this leader is much slower than another voter's; handing over", "to", target.ID, "transaction", w.took)
	}
	if err := d.Node.TransferLeadership(ctx, target.ID, target.Address); err != nil {
		d.calm.Warn("handing over failed; trying again", "after", handOverPause, "err", err)
	}
	return handOverPause
}

// betterVoter finds the voter that should rather lead; with a time to beat, among those whose transactions are known
// to take much less.
func (d *watchdog) betterVoter(ctx context.Context, beat time.Duration) (best raft.Member, found bool) {
	others := d.votersBut(d.id())
	ctx, cancel := context.WithTimeout(ctx, voterAnswerTimeout)
	defer cancel()
	return bestVoter(others, d.AskMembers(ctx, others), beat)
}

// bestVoter returns the voter with the longest log among those that answer and whose stores do well.
func bestVoter(voters []raft.Member, answers []*peer.Status, beat time.Duration) (best raft.Member, found bool) {
	var longest uint64
	for i, status := range answers {
		if status == nil || !storeDoesWell(status) || beat > 0 && !muchFaster(status, beat) {
			continue
		}
		if !found || status.LastIndex > longest {
			best, longest, found = voters[i], status.LastIndex, true
		}
	}
	return best, found
}

func storeDoesWell(status *peer.Status) bool {
	return status.Serving && !status.LogHeld && !status.Stuck && !status.StoreFailing && status.Applied+FarBehind >= status.Commit
}

// muchFaster is false also for a store that has not been seen at work.
func muchFaster(status *peer.Status, than time.Duration) bool {
	theirs := time.Duration(status.CommitMicros) * time.Microsecond
	return theirs > 0 && theirs*slowRatio <= than
}

const (
	handOverTries = 3
	handOverRetry = time.Second
)

// LeadElsewhere hands leadership over, if a voter is there that can take it: reads and writes then go on
// while this node's store is built anew.
func (d *watchdog) LeadElsewhere(ctx context.Context) {
	for range handOverTries {
		if !d.Node.IsLeader() {
			return
		}
		target, found := d.betterVoter(ctx, 0)
		if !found {
			return
		}
		err := d.Node.TransferLeadership(ctx, target.ID, target.Address)
		if err == nil {
			return
		}
		d.calm.Warn("the leader's store is wrong, and handing over failed", "to", target.ID, "err", err)
		if !group.Pause(ctx, handOverRetry) {
			return
		}
	}
}
