package raftlog

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"versiond/model"
)

const (
	// hangsAfter is how long a write to the Raft log may take before the disk counts as hanging.
	hangsAfter = 2 * time.Second
	// reclaimLeadAfter is how long a node that led when its disk failed does not count itself as leader after the
	// disk is back: twice the time in which hashicorp/raft finds out whether it still is.
	reclaimLeadAfter = time.Second
	// missedLeaderGrace is how short a failure must be for no follower to have missed the leader.
	missedLeaderGrace = 300 * time.Millisecond
)

var (
	errHangs   = fmt.Errorf("a write has not come back for %s", hangsAfter)
	errClosing = errors.New("this node stops")
)

// Disk is where the writes of the Raft log, of terms and of votes wait while the disk fails or hangs.
//
// Hashicorp/raft panics on a term or a vote that cannot be written, goes on with a wrong idea of its
// log after entries that could not be cut off, and stays leader for ever behind a write that does not
// come back, since other goroutines of it send the heartbeats. So no failure of a write reaches it. The
// write is tried again until it went through, and as long as it waits the node sends the others nothing
// (transport.Transport): to them it looks like a node that is frozen, and they elect another leader. No write
// is given up, which is why none can land late, over a newer one. That it is tried again after an
// fsync that failed is sound because nothing is written in place: every try writes all its pages anew.
type Disk struct {
	dir         string
	log         *slog.Logger
	writeFailed func()
	unreadable  func(error)
	// running is set once it is hashicorp's goroutines that write. What starts a node must be told of
	// failures instead.
	running atomic.Bool
	inside  atomic.Int64 // writes that the disk is at
	faulty  atomic.Bool  // a file was found damaged, which leaves bbolt locked for ever
	closing sync.Once
	closed  chan struct{}

	mu       sync.Mutex
	waiting  int           // writes that failed or hang
	failure  error         // of the first of them
	since    time.Time     // when that was
	through  chan struct{} // closed when none waits any more
	doubtful time.Time     // when the last failure ended that others may have noticed
}

func newDisk(dir string, o Options) *Disk {
	d := &Disk{dir: dir, log: o.Log, writeFailed: o.WriteFailed, unreadable: o.Unreadable, closed: make(chan struct{})}
	if d.writeFailed == nil {
		d.writeFailed = func() {}
	}
	return d
}

// Close ends all waiting. Hashicorp/raft must have been told to shut down before.
func (d *Disk) Close() { d.closing.Do(func() { close(d.closed) }) }

// write returns once do went through. While the node starts, it returns what came of it; when the node
// closes, it ends the goroutine, whose deferred calls run.
func (d *Disk) write(do func() error) error {
	if !d.running.Load() {
		return d.catch(do)
	}
	held, pace := false, writeRetries()
	hold := func(err error) { held = d.hold(err, held) }
	for {
		err := d.try(do, hold)
		switch {
		case err == nil:
			d.release(held)
			return nil
		case errors.Is(err, model.ErrCorrupt):
			d.end(unreadable(d.dir, err))
		}
		d.writeFailed()
		d.log.Debug("a write of the Raft log failed", "err", err)
		hold(err)
		d.pause(pace.NextBackOff())
	}
}

// writeRetries begin soon: most of what fails once works the next time.
func writeRetries() *backoff.ExponentialBackOff {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval = 10*time.Millisecond, time.Second
	return pace
}

// try makes one attempt, on a goroutine that is left behind with it when the node closes and the disk
// hangs.
func (d *Disk) try(do func() error, hangs func(error)) error {
	var closed <-chan struct{} // nil, which is never ready, while the disk may still answer in time
	done := make(chan error, 1)
	d.inside.Add(1)
	go func() {
		err := d.catch(do)
		d.inside.Add(-1) // before anybody learns of it
		done <- err
	}()
	timer := time.NewTimer(hangsAfter)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-timer.C:
			d.writeFailed()
			hangs(errHangs)
			closed = d.closed
		case <-closed:
			runtime.Goexit()
		}
	}
}

// catch notes a fault that it has caught.
func (d *Disk) catch(do func() error) error {
	err := CatchFault(do)
	if errors.Is(err, model.ErrCorrupt) {
		d.faulty.Store(true)
	}
	return err
}

func (d *Disk) pause(length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.closed:
		runtime.Goexit()
	}
}

// end has the node end because its log cannot be read, and keeps the calling goroutine of hashicorp's
// from learning of it, which would panic.
func (d *Disk) end(err error) {
	d.unreadable(err)
	<-d.closed
	runtime.Goexit()
}

// hold notes that one more write waits, unless it did already.
func (d *Disk) hold(err error, already bool) bool {
	if already {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting++; d.waiting == 1 {
		d.failure, d.since, d.through = d.explain(err), time.Now(), make(chan struct{})
		d.log.Error("the Raft log cannot be written; this node gives up leadership and tries again until it can", "err", d.failure)
	}
	return true
}

func (d *Disk) release(held bool) {
	if !held {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting--; d.waiting > 0 {
		return
	}
	took := time.Since(d.since)
	if took > missedLeaderGrace {
		d.doubtful = time.Now()
	}
	d.failure = nil
	close(d.through)
	d.log.Info("the Raft log can be written again", "after", took)
}

// Err returns why writes wait and what would help, nil when none does.
func (d *Disk) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failure
}

// hangs reports whether a write has not come back.
func (d *Disk) hangs() bool { return d.inside.Load() > 0 }

// MayLead is false while writes wait, and until it is known again who leads after they did: hashicorp's
// main loop, which would notice that others have a new leader, may be what waits.
func (d *Disk) MayLead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failure == nil && (d.doubtful.IsZero() || time.Since(d.doubtful) > reclaimLeadAfter)
}

// Started has writes wait from now on rather than fail.
func (d *Disk) Started() { d.running.Store(true) }

// Await returns once no write waits, with an error when the node closes.
func (d *Disk) Await() error {
	d.mu.Lock()
	failure, through := d.failure, d.through
	d.mu.Unlock()
	if failure == nil {
		return nil
	}
	select {
	case <-through:
		return nil
	case <-d.closed:
		return errClosing
	}
}

func (d *Disk) explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("the disk of the data directory is full: %w; make room in %s, the node goes on by itself", err, d.dir)
	case errors.Is(err, errHangs):
		return fmt.Errorf("the disk of the data directory does not answer: %w; mend the disk of %s, the node goes on by itself as soon as it answers", err, d.dir)
	}
	return fmt.Errorf("the Raft log cannot be written: %w; mend the disk of %s, the node goes on by itself", err, d.dir)
}
