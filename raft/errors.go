package raft

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// proposalError translates hashicorp's error for a proposed entry: model.ErrNotLeader only when the
// entry cannot have reached any log, model.ErrOutcomeUnknown in every case of doubt. ErrRaftShutdown,
// ErrLeadershipLost, ErrAbortedByRestore and a failed StoreLogs all leave it open whether a follower
// has the entry and commits it later.
func proposalError(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader),
		errors.Is(err, raft.ErrLeadershipTransferInProgress),
		errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
}

// memberError translates hashicorp's error for a membership change. A change whose fate is open is reported
// as such; it is safe to ask for again.
func memberError(err error) error {
	if known := changeError(err); err == nil || known != nil {
		return known
	}
	return fmt.Errorf("change the cluster's members: %w", err)
}

// transferError translates hashicorp's error for a transfer of leadership. It has no names for what can be
// wrong with the voter that was to lead.
func transferError(err error) error {
	if known := changeError(err); err == nil || known != nil {
		return known
	}
	return fmt.Errorf("%w: %w", model.ErrNoSuccessor, err)
}

// changeError gives nil for what only the caller can explain.
func changeError(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader),
		errors.Is(err, raft.ErrLeadershipTransferInProgress),
		errors.Is(err, raft.ErrEnqueueTimeout):
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	case errors.Is(err, raft.ErrLeadershipLost), errors.Is(err, raft.ErrRaftShutdown):
		return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	return nil
}
