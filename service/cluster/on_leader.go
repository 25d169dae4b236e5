package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
)

// leaderPollInterval paces the search for a leader that takes a write.
const leaderPollInterval = 20 * time.Millisecond

// WithLeader does something that needs a leader, again and again while there is none, until the
// context ends. It repeats only what is known to have had no effect.
func (l *leading) WithLeader(ctx context.Context, do func(context.Context) error) error {
	var none error // why nobody took it, the last time that somebody was asked
	for {
		if err := l.removal.Removed(); err != nil {
			return err
		}
		err := do(ctx)
		expired := ctx.Err() != nil && errors.Is(err, ctx.Err())
		switch {
		case errors.Is(err, model.ErrOutcomeUnknown):
			return err
		case errors.Is(err, model.ErrNotLeader):
			none = err
		case none == nil || !expired:
			return err
		}
		select {
		case <-time.After(leaderPollInterval):
		case <-ctx.Done():
		case <-l.Stopped:
			return fmt.Errorf("%w: this node is stopping", model.ErrNoLeader)
		}
		if ctx.Err() != nil {
			return noLeader(none)
		}
	}
}

// NobodyLeads returns a model.ErrNotLeader, which says also that this node would find out who leads if its disk let it.
func (l *leading) NobodyLeads() error {
	if failure := l.Node.LogFailure(); failure != nil {
		return fmt.Errorf("%w: %w: %w", model.ErrNotLeader, model.ErrLogUnavailable, failure)
	}
	return model.ErrNotLeader
}

// noLeader returns a model.ErrNoLeader that says why nobody took what was asked for.
func noLeader(cause error) error {
	why := model.ErrNoLeader
	if errors.Is(cause, model.ErrLogUnavailable) {
		why = model.ErrLogUnavailable
	}
	return fmt.Errorf("%w (%v)", why, cause) // %v: the cause must not pass for an open outcome
}

// refusals are the errors after which nothing was changed.
var refusals = []error{model.ErrNoLeader, model.ErrTooManyRequests, model.ErrLogUnavailable, model.ErrNodeRemoved}

// changeOnLeader is OnLeader for what changes something and may be asked for again. Where a leader was asked that
// did not answer, and nobody could be asked again, the outcome is not known.
func (l *leading) changeOnLeader(ctx context.Context, here func(context.Context) error, there func(ctx context.Context, leader string) error) error {
	open := false
	err := l.OnLeader(ctx, here, func(ctx context.Context, leader string) error {
		err := there(ctx, leader)
		open = open || mayHaveHeard(err)
		return err
	})
	if open && model.IsAny(err, refusals...) {
		return fmt.Errorf("%w (%v)", model.ErrOutcomeUnknown, err) // %v: it would promise that nothing was done
	}
	return err
}

// mayHaveHeard reports whether a node that did not answer may have done all the same what it was asked for.
func mayHaveHeard(err error) bool {
	return errors.Is(err, model.ErrNoAnswer) && !errors.Is(err, model.ErrNeverSent)
}

// OnLeader does something where the leader is: here, or through a request to it.
func (l *leading) OnLeader(ctx context.Context, here func(context.Context) error, there func(ctx context.Context, leader string) error) error {
	return l.WithLeader(ctx, func(ctx context.Context) error {
		if l.Node.IsLeader() {
			return here(ctx)
		}
		_, address := l.Node.Leader()
		if address == "" {
			return l.NobodyLeads()
		}
		err := there(ctx, address)
		if errors.Is(err, model.ErrNoAnswer) {
			// The leader has just died, and what it was asked for may be asked for again.
			return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
		}
		return err
	})
}
