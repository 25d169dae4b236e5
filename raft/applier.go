package raft

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"versiond/failpoint"
	"versiond/model"
	"versiond/raft/datadir"
)

const (
	// One transaction holds at most this much, so that its locks, its memory and its time stay bounded: each command is a
	// row of the log of changes, also where many are of one record.
	applyEntriesMax = 256
	applyBytesMax   = 256 << 10

	// gatherPause is how long a node on which nobody waits lets entries gather, so that one
	// transaction takes many of them. A follower's store may be that much behind.
	gatherPause = 200 * time.Millisecond
	// watchedPause is that of a node on which somebody waits to be told of changes.
	watchedPause = 20 * time.Millisecond

	// How often the applier looks for committed entries that never reach the FSM: seldom while
	// nobody waits, often while somebody does. Seldom is far below StuckAfter: each look is a sign of life.
	stepIntervalIdle    = 250 * time.Millisecond
	stepIntervalAwaited = time.Millisecond
)

// applier takes committed entries and writes their effect to the store, in order and exactly once.
// It is one goroutine; its fields belong to it.
type applier struct {
	decider
	fsm      *VersionFSM
	queue    *queue
	progress *progress
	// committed returns hashicorp's commit index.
	committed func() uint64
	// dir knows whose the store has to be, and remembers whether this node has made it once.
	dir *datadir.Dir
	// discardStore is how an operator gets rid of the store.
	discardStore string
	store        string // names it to an operator
	log          *slog.Logger

	loaded     bool            // the store is known to be ours
	distrusted bool            // the store is to be built anew, whatever its state row says
	stored     model.Position  // what the state row says
	applied    model.Position  // stored, or beyond it by entries without commands
	told       map[string]bool // what the store has answered since it failed, and was logged
}

// run applies until the context ends. It returns nil then, and otherwise the reason why this node
// cannot go on.
func (a *applier) run(ctx context.Context) error {
	ctx = model.WithWork(ctx, a.progress.work)
	err := a.reconcile(ctx)
	for err == nil && ctx.Err() == nil {
		var moved bool
		moved, err = a.step(ctx)
		if errors.Is(err, model.ErrStateMoved) {
			a.log.Warn("the store is not as this node left it; looking what it lacks", "index", a.stored.Index, "err", err)
			err = a.reconcile(ctx)
			continue
		}
		if err == nil && !moved {
			a.rest(ctx)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// rest waits until there may be something to do.
func (a *applier) rest(ctx context.Context) {
	a.progress.touch()
	interval := stepIntervalIdle
	if a.awaited() {
		interval = stepIntervalAwaited
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-a.queue.wake:
	case <-a.progress.wanted:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// step does the next thing there is to do, and reports whether there was one.
func (a *applier) step(ctx context.Context) (bool, error) {
	if a.queue.rebuildDue() {
		return true, a.rebuildAnyway(ctx)
	}
	if a.queue.marked().restore > a.applied.Index {
		return true, a.restoreNewest(ctx)
	}
	if err := a.verifyIfUnsure(ctx); err != nil {
		return true, err
	}
	if opened, err := a.openViews(ctx); opened || err != nil {
		return opened, err
	}
	a.gather(ctx)
	if entries := a.queue.take(a.applied.Index, applyEntriesMax, applyBytesMax); len(entries) > 0 {
		return true, a.apply(ctx, entries)
	}
	return a.readLog(ctx)
}

// awaited reports whether somebody waits for what this node may soon apply. Who waits for an index far beyond that, which may
// never come, hurries nobody; nearer ones count, since a follower hears of what is committed a moment after the leader.
func (a *applier) awaited() bool { return a.progress.awaited(a.committed() + applyEntriesMax) }

// gather waits a moment for more entries, unless somebody waits for those that are there.
func (a *applier) gather(ctx context.Context) {
	if !a.queue.patient() || a.awaited() {
		return
	}
	pause := gatherPause
	if a.service.WatchedInternal() {
		pause = watchedPause
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-a.progress.wanted:
	case <-a.queue.urgent:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// apply applies consecutive entries. Those behind an entry that commits a restore are left for the next time.
func (a *applier) apply(ctx context.Context, entries []entry) error {
	if before := beforeCommit(entries); len(before) > 0 {
		return a.applyTogether(ctx, before)
	}
	return a.applyCommit(ctx, &entries[0])
}

// applyTogether writes entries in one transaction, publishes them and tells their proposers.
func (a *applier) applyTogether(ctx context.Context, entries []entry) error {
	units, err := decode(entries)
	if err == nil {
		err = a.prepare(ctx, units)
	}
	if err != nil {
		return err
	}
	outcomes, commands, err := a.decide(entries, units)
	if err != nil {
		return err
	}
	last := entries[len(entries)-1].position
	if commands > 0 {
		began := time.Now()
		failpoint.Here(failpoint.ApplyDecided)
		if err := a.commit(ctx, last); err != nil {
			a.service.DiscardInternal()
			return err
		}
		failpoint.Here(failpoint.ApplyCommitted)
		a.service.PublishInternal()
		failpoint.Here(failpoint.ApplyPublished)
		a.fsm.observer.Applied(len(entries), commands, time.Since(began))
	}
	a.advance(last)
	for i := range entries {
		entries[i].handle.resolve(result{outcomes: outcomes[i]})
	}
	if commands > 0 {
		failpoint.Here(failpoint.ApplyAnswered)
		a.service.CacheInternal()
	}
	return nil
}

// prepare has the service read what deciding units needs, as often as it takes.
func (a *applier) prepare(ctx context.Context, units [][]model.Unit) error {
	return a.persist(ctx, "reading from the store failed; trying again", func() error {
		return a.service.PrepareInternal(ctx, units)
	}, model.ErrStateMoved)
}

// commit writes what is staged, as often as it takes. A COMMIT without an answer is looked up
// before it is tried again, so that nothing is applied twice.
func (a *applier) commit(ctx context.Context, to model.Position) error {
	defer a.progress.pace.begin()()
	err := a.persist(ctx, "writing to the store failed; trying again", func() error {
		err := a.service.CommitInternal(ctx, a.dir.Identity().Store, a.stored, to)
		if errors.Is(err, model.ErrStateMoved) && a.isStored(ctx, to) {
			return nil
		}
		return err
	}, model.ErrStateMoved)
	if err != nil {
		return err
	}
	a.stored = to
	a.fsm.lastCommand.Store(to.Index)
	return nil
}

// isStored reports whether an earlier try, whose answer was lost, had committed.
func (a *applier) isStored(ctx context.Context, to model.Position) bool {
	state, err := a.service.StateInternal(ctx)
	return err == nil && a.expect(state, to) == nil
}

// storeFailed notes that the store failed, unless it is this node that stops.
func (a *applier) storeFailed(ctx context.Context, message string, err error) {
	if ctx.Err() != nil {
		return
	}
	a.fsm.observer.StoreFailed()
	if a.progress.failure.Load() == nil {
		a.told = map[string]bool{}
	}
	if answer := answerOf(err); !a.told[answer] {
		a.told[answer] = true
		a.log.Error(message, "index", a.applied.Index, "store", a.store, "err", err)
	}
	a.progress.noteFailure(err)
}

// answerOf returns what a store has said, empty for one that does not answer.
func answerOf(err error) string {
	var answer *model.StoreError
	if errors.As(err, &answer) {
		return answer.Detail
	}
	return ""
}

// persist tries something with the store for as long as the node runs, and says so in the words of failing. Only errors that
// are one of final end it: trying again would not help.
func (a *applier) persist(ctx context.Context, failing string, try func() error, final ...error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := try()
		if model.IsAny(err, final...) {
			return struct{}{}, backoff.Permanent(err)
		}
		if err != nil {
			a.storeFailed(ctx, failing, err)
		}
		return struct{}{}, err
	}, storeRetries()...)
	return err
}

// storeRetries makes the applier try for as long as the node runs: a failing store is never an
// outcome (docs/design.md, "Deterministic").
func storeRetries() []backoff.RetryOption {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval = 10*time.Millisecond, time.Second
	return []backoff.RetryOption{backoff.WithBackOff(pace), backoff.WithMaxElapsedTime(0)}
}

// advance shows readers a new applied index. A store that was replaced serves them again only when
// it has come as far as what they had been shown before.
func (a *applier) advance(to model.Position) {
	a.applied = to
	highest := max(a.progress.highest.Load(), to.Index)
	a.progress.highest.Store(highest)
	a.progress.publish(to, append(a.passed, model.Checkpoint{Index: to.Index, Checksum: a.service.ChecksumInternal()})...)
	a.passed = a.passed[:0]
	if a.service.ChangesFromInternal() > 0 {
		a.progress.NoteKeepsChanges()
	}
	a.progress.serving.Store(a.loaded && to.Index == highest)
}

// suspend keeps readers from the store until it is loaded again.
func (a *applier) suspend() {
	a.loaded, a.passed = false, nil
	a.progress.serving.Store(false)
	a.progress.forget()
}
