package raft

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// errMembers is what a change of the members failed at for a reason that has no name.
var errMembers = errors.New("change the cluster's members")

// proposalError translates hashicorp's error for a proposed entry: model.ErrNotLeader only when the
// entry cannot have reached any log, model.ErrOutcomeUnknown in every case of doubt. ErrRaftShutdown,
// ErrLeadershipLost and a failed StoreLogs all leave it open whether a follower has the entry and commits it later.
func proposalError(err error) error {
	if refused(err) {
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
}

// changeError translates hashicorp's error for a change of members or leadership; what has no name there is
// otherwise. A change whose fate is open is reported as such; it is safe to ask for again.
func changeError(err, otherwise error) error {
	switch {
	case err == nil:
		return nil
	case refused(err):
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	case errors.Is(err, raft.ErrLeadershipLost), errors.Is(err, raft.ErrRaftShutdown):
		return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	return fmt.Errorf("%w: %w", otherwise, err)
}

// refused reports whether hashicorp/raft has not even begun.
func refused(err error) bool {
	return errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrLeadershipTransferInProgress) || errors.Is(err, raft.ErrEnqueueTimeout)
}

// ending is why a node cannot go on, once it cannot. The first reason counts.
type ending struct {
	ctx  context.Context
	fail context.CancelCauseFunc
}

func newEnding() *ending {
	ctx, fail := context.WithCancelCause(context.Background())
	return &ending{ctx: ctx, fail: fail}
}

// Failed is closed when the node cannot go on; Err then says why, and Close is all that is left.
func (e *ending) Failed() <-chan struct{} { return e.ctx.Done() }

// Err returns why the node cannot go on, nil while it can.
func (e *ending) Err() error { return context.Cause(e.ctx) }
