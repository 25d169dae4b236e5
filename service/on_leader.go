package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
)

// leaderPollInterval paces the search for a leader that takes a write.
const leaderPollInterval = 20 * time.Millisecond

// withLeader does something that needs a leader, again and again while there is none, until the
// context ends. It repeats only what is known to have had no effect.
func (s *VersionService) withLeader(ctx context.Context, do func(context.Context) error) error {
	var none error // why nobody took it, the last time that somebody was asked
	for {
		if err := s.whyRemoved(); err != nil {
			return err
		}
		err := do(ctx)
		switch {
		case errors.Is(err, model.ErrOutcomeUnknown):
			return err
		case errors.Is(err, model.ErrNotLeader):
			none = err
		case none == nil || err == nil || !errors.Is(err, ctx.Err()):
			return err
		}
		select {
		case <-time.After(leaderPollInterval):
		case <-ctx.Done():
		case <-s.ctx.Done():
			return fmt.Errorf("%w: this node is stopping", model.ErrNoLeader)
		}
		if ctx.Err() != nil {
			return noLeader(none)
		}
	}
}

// nobodyLeads says also that this node would find out who leads if its disk let it.
func (s *VersionService) nobodyLeads() error {
	if failure := s.node.LogFailure(); failure != nil {
		return fmt.Errorf("%w: %w: %w", model.ErrNotLeader, model.ErrLogUnavailable, failure)
	}
	return model.ErrNotLeader
}

// noLeader says why nobody took what was asked for.
func noLeader(cause error) error {
	if errors.Is(cause, model.ErrLogUnavailable) {
		return fmt.Errorf("%w (%v)", model.ErrLogUnavailable, cause) // %v: the cause must not pass for an open outcome
	}
	return fmt.Errorf("%w (%v)", model.ErrNoLeader, cause) // %v: the cause must not pass for an open outcome
}

// changeOnLeader is onLeader for what changes something and may be asked for again. Where a leader was asked that
// did not answer, and nobody could be asked again, the outcome is not known.
func (s *VersionService) changeOnLeader(ctx context.Context, here func(context.Context) error, there func(ctx context.Context, leader string) error) error {
	open := false
	err := s.onLeader(ctx, here, func(ctx context.Context, leader string) error {
		err := there(ctx, leader)
		open = open || errors.Is(err, model.ErrNoAnswer) && !errors.Is(err, model.ErrNeverSent)
		return err
	})
	refused := errors.Is(err, model.ErrNoLeader) || errors.Is(err, model.ErrTooManyRequests) || errors.Is(err, model.ErrLogUnavailable)
	if open && refused {
		return fmt.Errorf("%w (%v)", model.ErrOutcomeUnknown, err) // %v: it would promise that nothing was done
	}
	return err
}

// onLeader does something where the leader is: here, or through a request to it.
func (s *VersionService) onLeader(ctx context.Context, here func(context.Context) error, there func(ctx context.Context, leader string) error) error {
	return s.withLeader(ctx, func(ctx context.Context) error {
		if s.node.IsLeader() {
			return here(ctx)
		}
		_, address := s.node.Leader()
		if address == "" {
			return s.nobodyLeads()
		}
		err := there(ctx, address)
		if errors.Is(err, model.ErrNoAnswer) {
			// The leader has just died, and what it was asked for may be asked for again.
			return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
		}
		return err
	})
}
