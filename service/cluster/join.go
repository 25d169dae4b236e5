package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// afterTimeout bounds each step, beyond its caller's time, that a join takes lest it leave a node half in: to tell it once
// more, and to take it out again.
const afterTimeout = 3 * time.Second

// Join makes the node that answers at address a member: without a vote at first, which it
// gets when it has caught up, unless voter is false. One that is a member already stays one. Nothing
// is changed before the node itself has confirmed who it is, so a mistyped address cannot cost the
// cluster its quorum. What id and address look like is for its caller to check. Errors: model.ErrNodeUnreachable, ErrWrongNode, ErrIDInUse,
// ErrAddressInUse, ErrQuorumAtRisk, ErrNoLeader, ErrTooManyRequests, and ErrOutcomeUnknown, after which it may be
// asked for again.
func (c *changes) Join(ctx context.Context, id, address string, voter bool) (member model.Member, err error) {
	err = c.changeOnLeader(ctx, func(ctx context.Context) error {
		member, err = c.join(ctx, id, address, voter)
		return err
	}, func(ctx context.Context, leader string) error {
		member, err = c.Peers.Join(ctx, leader, id, address, voter)
		return err
	})
	return member, err
}

// join runs on the leader.
func (c *changes) join(ctx context.Context, id, address string, voter bool) (model.Member, error) {
	if err := c.enter(ctx); err != nil {
		return model.Member{}, err
	}
	defer c.turn.Leave()
	status, err := c.identify(ctx, id, address)
	if err != nil {
		return model.Member{}, err
	}
	if err := c.ensureReads(ctx, id, address, status); err != nil {
		return model.Member{}, err
	}
	_, known := c.find(id)
	if err := c.place(ctx, id, address, status); err != nil {
		return model.Member{}, err
	}
	switch {
	case !known || !status.Running:
		err = c.admit(ctx, id, address, voter)
	case voter && status.Replica:
		err = c.tellAdmitted(ctx, address, voter) // it wants a vote from now on
	}
	if err != nil {
		return model.Member{}, err
	}
	return c.memberOf(id, status.Port)
}

// admit notifies a node that it was added. One that was certainly not told is taken out again: it has no vote
// yet, so this is always safe. One that may have been told stays in: where it runs Raft by now it never asks again.
func (c *changes) admit(ctx context.Context, id, address string, voter bool) error {
	err := c.tellAdmitted(ctx, address, voter)
	if err == nil || errors.Is(err, model.ErrOutcomeUnknown) {
		return err
	}
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterTimeout)
	defer cancel()
	if errUndo := c.Node.Remove(undo, id); errUndo != nil {
		return fmt.Errorf("%w: %w, and it could not be taken out again: %w", model.ErrOutcomeUnknown, err, errUndo)
	}
	return err
}

// tellAdmitted notifies a node that the cluster has it. One that may have heard it and did not say so is told once more,
// also when the caller's time is over: that is safe to repeat, and its answer counts for both. Errors:
// model.ErrOutcomeUnknown when no answer comes then either, otherwise ErrNodeUnreachable.
func (c *changes) tellAdmitted(ctx context.Context, address string, voter bool) error {
	admission := peer.Admission{Cluster: c.Node.Identity().Cluster, Former: c.Node.Former(), Replica: !voter}
	err := c.Peers.Admit(ctx, address, admission)
	heard := mayHaveHeard(err)
	if heard {
		again, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterTimeout)
		defer cancel()
		err = c.Peers.Admit(again, address, admission)
		heard = errors.Is(err, model.ErrNoAnswer)
	}
	switch {
	case err == nil:
		return nil
	case heard:
		return fmt.Errorf("%w: %s may have heard that it was taken in: %s; let it join again, or remove it", model.ErrOutcomeUnknown, address, reason(err))
	}
	return fmt.Errorf("%w: %s could not be told that it was taken in: %s", model.ErrNodeUnreachable, address, reason(err)) // no %w: it is taken out again
}

// identify dials back and makes sure that the node at address is the one that was named, and free
// to be a member of this cluster.
func (c *changes) identify(ctx context.Context, id, address string) (peer.Status, error) {
	status, err := c.Peers.Identify(ctx, address)
	ours := c.Node.Identity().Cluster
	switch {
	case err != nil:
		return status, c.unidentified(id, address, err)
	case status.Node != id:
		return status, fmt.Errorf("%w: %s is node %q, not %q", model.ErrWrongNode, address, status.Node, id)
	case slices.Contains(c.Node.Former(), status.Cluster):
		return status, fmt.Errorf("%w: node %q at %s has the state of cluster %s, which was given up and recovered as this one, and which it joins on an empty data directory: on that node, %s", model.ErrWrongNode, id, address, status.Cluster, model.RejoinAdvice)
	case status.Cluster != "" && status.Cluster != ours:
		return status, fmt.Errorf("%w: node %q at %s belongs to cluster %s, this is cluster %s", model.ErrWrongNode, id, address, status.Cluster, ours)
	case status.StoreCluster != "" && status.StoreCluster != ours && !slices.Contains(c.Node.Former(), status.StoreCluster):
		return status, fmt.Errorf("%w: the database of node %q at %s belongs to cluster %s, this is cluster %s; give it another database, or drop it if its records are not needed", model.ErrWrongNode, id, address, status.StoreCluster, ours)
	}
	return status, nil
}

// unidentified returns why nobody could be asked who is at address.
func (c *changes) unidentified(id, address string, err error) error {
	var public *peer.PublicPort
	switch {
	case errors.As(err, &public):
		return model.Explain(model.ErrNodeUnreachable, c.publicPort(public))
	case errors.Is(err, model.ErrSecretsDiffer):
		return fmt.Errorf("%s at %s: %w", id, address, err)
	case errors.Is(err, model.ErrWrongNode):
		return err
	case errors.Is(err, model.ErrCorrupt):
		return fmt.Errorf("%w: %s is no peer port of a versiond node", model.ErrWrongNode, address)
	}
	return fmt.Errorf("%w: %s (peer port): %s", model.ErrNodeUnreachable, address, reason(err)) // no %w: it is not the leader that did not answer
}

// place adds an identified node to the members, without a vote, or updates the member that it already is.
func (c *changes) place(ctx context.Context, id, address string, status peer.Status) error {
	if id == c.id() && address != c.Node.Address() {
		return fmt.Errorf("%w: %s is the leader that answers you", model.ErrIDInUse, id)
	}
	member, known := c.find(id)
	for _, m := range c.Node.Members() {
		if m.Address == address && m.ID != id {
			return fmt.Errorf("%w: %s is that of %s", model.ErrAddressInUse, address, m.ID)
		}
	}
	switch {
	case !known:
		return c.Node.AddNonvoter(ctx, id, address)
	case !status.Running:
		return c.replaceBlank(ctx, member, address)
	case member.Address == address:
		return nil
	}
	return c.move(ctx, member, address)
}

// replaceBlank takes a member that has lost its Raft state out and in again, without a vote: with
// its vote it could help to elect a leader that lacks what it itself had acknowledged.
func (c *changes) replaceBlank(ctx context.Context, member raft.Member, address string) error {
	if member.Address != address {
		if err := c.ensureSilent(ctx, member); err != nil {
			return err
		}
	}
	if member.Voter {
		if err := c.ensureQuorumWithout(ctx, member.ID); err != nil {
			return err
		}
	}
	if err := c.Node.Remove(ctx, member.ID); err != nil {
		return err
	}
	c.Log.Warn("a member has lost its Raft state; it is taken in again without a vote until it has caught up", "id", member.ID)
	if err := c.Node.AddNonvoter(ctx, member.ID, address); err != nil {
		return fmt.Errorf("%w: %s was taken out, and could not be taken in again: %w", model.ErrOutcomeUnknown, member.ID, err)
	}
	return nil
}

// move notes a member's new address, if nobody answers as that member at the old one.
func (c *changes) move(ctx context.Context, member raft.Member, address string) error {
	if err := c.ensureSilent(ctx, member); err != nil {
		return err
	}
	c.Log.Info("a member has a new address", "id", member.ID, "from", member.Address, "to", address)
	if member.Voter {
		return c.Node.AddVoter(ctx, member.ID, address)
	}
	return c.Node.AddNonvoter(ctx, member.ID, address)
}

// ensureSilent fails when a member answers at its address, or when there was no time to find that out.
func (c *changes) ensureSilent(ctx context.Context, member raft.Member) error {
	status, err := c.Peers.Status(ctx, member.Address)
	switch {
	case err == nil && status.Node == member.ID:
		return fmt.Errorf("%w: %s answers at %s", model.ErrIDInUse, member.ID, member.Address)
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%w: there was no time to see that %s no longer answers at %s", model.ErrIDInUse, member.ID, member.Address)
	}
	return nil
}

func (c *changes) memberOf(id string, port int) (model.Member, error) {
	m, known := c.find(id)
	if !known {
		return model.Member{}, errors.Join(model.ErrOutcomeUnknown, errors.New("the new member is not in the configuration"))
	}
	return model.Member{ID: m.ID, Address: m.Address, Port: port, Voter: m.Voter}, nil
}
