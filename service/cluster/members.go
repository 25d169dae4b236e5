package cluster

import (
	"context"
	"errors"
	"fmt"

	"versiond/group"
	"versiond/model"
	"versiond/raft"
)

// changesWaitingMax is how many changes of the members may wait for the one that goes on.
const changesWaitingMax = 100

// changes changes who is a member, and who leads.
type changes struct {
	*leading
	turn *group.Gate // one change of the members goes on at a time, as hashicorp/raft does them
}

// enter waits for its turn to change the members. The caller calls turn.Leave.
func (c *changes) enter(ctx context.Context) error {
	if err := c.turn.Enter(ctx); err != nil {
		return fmt.Errorf("%w: another change of the members goes on (%v)", model.ErrTooManyRequests, err) // %v: nothing was changed
	}
	return nil
}

// Remove removes a member. It refuses, unless forced, when the voters left alive could not
// form a quorum. A leader that is to be removed hands over first. Errors: model.ErrNoSuchMember,
// ErrQuorumAtRisk, ErrNoSuccessor, ErrNoLeader and ErrTooManyRequests, after which nothing was changed, and
// ErrOutcomeUnknown.
func (c *changes) Remove(ctx context.Context, id string, force bool) error {
	_, was := c.find(id)
	asked := 0
	err := c.changeOnLeader(ctx, func(ctx context.Context) error {
		asked++
		return c.remove(ctx, id, force)
	}, func(ctx context.Context, leader string) error {
		asked++
		return c.Peers.Remove(ctx, leader, id, force)
	})
	if was && asked > 1 && errors.Is(err, model.ErrNoSuchMember) {
		return nil // the leader that was asked first did it, and did not come to say so
	}
	return err
}

func (c *changes) remove(ctx context.Context, id string, force bool) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.turn.Leave()
	member, known := c.find(id)
	if !known {
		return fmt.Errorf("%w: %q", model.ErrNoSuchMember, id)
	}
	if member.Voter && !force {
		if err := c.ensureQuorumWithout(ctx, id); err != nil {
			return err
		}
	}
	if id == c.id() {
		return c.leaveFirst(ctx)
	}
	c.Log.Info("removing a member", "id", id, "forced", force)
	return c.Node.Remove(ctx, id)
}

// leaveFirst hands leadership over and has the caller ask the new leader.
func (c *changes) leaveFirst(ctx context.Context) error {
	if Voters(c.Node.Members()) < 2 {
		return fmt.Errorf("%w: %s is the only voter", model.ErrQuorumAtRisk, c.id())
	}
	if err := c.Node.TransferAway(ctx); errors.Is(err, model.ErrOutcomeUnknown) {
		return fmt.Errorf("%w in time, so %s was not removed", model.ErrNoSuccessor, c.id())
	} else if err != nil {
		return err
	}
	return fmt.Errorf("%w: it has just handed over", model.ErrNotLeader)
}

// ensureQuorumWithout fails when the voters that answer now could not go on without the member.
func (c *changes) ensureQuorumWithout(ctx context.Context, id string) error {
	others := c.votersBut(id)
	alive, needed := c.countAlive(ctx, others), len(others)/2+1
	if len(others) == 0 || alive < needed {
		return fmt.Errorf("%w: without %s there are %d voters, %d must be alive and %d are (?force=true removes it all the same)", model.ErrQuorumAtRisk, id, len(others), needed, alive)
	}
	return nil
}

func (c *changes) countAlive(ctx context.Context, members []raft.Member) int {
	alive := 0
	for _, status := range c.AskMembers(ctx, members) {
		if status != nil && status.Running {
			alive++
		}
	}
	return alive
}
