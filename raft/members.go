package raft

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"versiond/group"
	"versiond/model"
)

// memberChangeTimeout bounds the wait for hashicorp's main loop to take a membership change.
const memberChangeTimeout = 5 * time.Second

// Member is one node of the replicated configuration.
type Member struct {
	ID      string `json:"id"`
	Address string `json:"address"`
	Voter   bool   `json:"voter"`
}

// Members lists the nodes of the newest configuration that this node has, by their ids. It is empty while the
// node runs no Raft.
func (e *engine) Members() []Member {
	running := e.current()
	if running == nil {
		return nil
	}
	future := running.raft.GetConfiguration()
	if future.Error() != nil {
		return nil
	}
	return MembersOf(future.Configuration().Servers)
}

// MembersOf returns the members of a configuration, by their ids.
func MembersOf(servers []raft.Server) []Member {
	members := make([]Member, len(servers))
	for i, s := range servers {
		members[i] = Member{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter}
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return members
}

// Alone is the configuration of a cluster of one.
func Alone(id, address string) raft.Configuration {
	return raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: raft.ServerID(id), Address: raft.ServerAddress(address)}}}
}

// idAt names the member that has an address, "" when none has.
func (e *engine) idAt(address string) string {
	for _, m := range e.Members() {
		if m.Address == address {
			return m.ID
		}
	}
	return ""
}

// AddNonvoter makes a node a member without a vote, or changes its address. Leader only; it waits
// until the change is committed.
func (e *engine) AddNonvoter(ctx context.Context, id, address string) error {
	return e.change(ctx, errMembers, func(r *raft.Raft) raft.Future {
		return r.AddNonvoter(raft.ServerID(id), raft.ServerAddress(address), 0, memberChangeTimeout)
	})
}

// AddVoter makes a member a voter, or changes a voter's address. Leader only.
func (e *engine) AddVoter(ctx context.Context, id, address string) error {
	return e.change(ctx, errMembers, func(r *raft.Raft) raft.Future {
		return r.AddVoter(raft.ServerID(id), raft.ServerAddress(address), 0, memberChangeTimeout)
	})
}

// Remove takes a member out of the cluster. Leader only.
func (e *engine) Remove(ctx context.Context, id string) error {
	return e.change(ctx, errMembers, func(r *raft.Raft) raft.Future {
		return r.RemoveServer(raft.ServerID(id), 0, memberChangeTimeout)
	})
}

// TransferLeadership hands leadership to a voter. Leader only; it returns when the voter leads, or
// with model.ErrNoSuccessor and the reason why it does not.
func (e *engine) TransferLeadership(ctx context.Context, id, address string) error {
	return e.change(ctx, model.ErrNoSuccessor, func(r *raft.Raft) raft.Future {
		return r.LeadershipTransferToServer(raft.ServerID(id), raft.ServerAddress(address))
	})
}

// TransferAway hands leadership to the most current voter, as a leader that stops does. Leader only;
// model.ErrNoSuccessor when that one does not take it.
func (e *engine) TransferAway(ctx context.Context) error {
	return e.change(ctx, model.ErrNoSuccessor, func(r *raft.Raft) raft.Future { return r.LeadershipTransfer() })
}

// change runs one change of members or leadership. Hashicorp's futures know no context, so it is awaited
// aside; the change goes on when the caller leaves. A failure that has no name is otherwise.
func (e *engine) change(ctx context.Context, otherwise error, begin func(*raft.Raft) raft.Future) error {
	running := e.current()
	if running == nil {
		return model.ErrNotLeader
	}
	failure, err := aside(ctx, func() error {
		err := begin(running.raft).Error()
		running.proposer.noteRefused(err)
		return changeError(err, otherwise)
	})
	return cmp.Or(failure, err)
}

// aside returns what do comes to, which goes on when the caller leaves: model.ErrOutcomeUnknown.
func aside[T any](ctx context.Context, do func() T) (result T, err error) {
	var came T // result would be written to after it was returned
	if !group.Aside(ctx.Done(), func() { came = do() }) {
		return result, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, ctx.Err())
	}
	return came, nil
}
