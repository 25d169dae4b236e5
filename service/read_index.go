package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/group"
	"versiond/model"
)

const (
	// readIndexTimeout bounds one question to the leader, so that a dead one is given up on.
	readIndexTimeout = 2 * time.Second
	// roundPace is how far apart rounds begin that are shared: reads that come closer together than that
	// cost more in rounds than in themselves.
	roundPace = time.Millisecond
)

// freshIndex returns the index that a read of this level must reflect, looking for the leader until
// the context ends.
func (r *reader) freshIndex(ctx context.Context, level model.Level) (index uint64, err error) {
	err = r.cluster.WithLeader(ctx, func(ctx context.Context) error {
		index, err = r.indexes[level].Do(ctx)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return 0, errors.Join(model.ErrTimeout, err)
	}
	return index, err
}

// newIndexes makes the rounds that reads of one level share: on the leader they confirm it, on
// a follower they ask it.
func (r *reader) newIndexes(ctx context.Context) map[model.Level]*group.Rounds[uint64] {
	rounds := map[model.Level]*group.Rounds[uint64]{}
	for _, level := range []model.Level{model.LevelLinearizable, model.LevelLeader} {
		rounds[level] = group.NewRounds(ctx, readIndexTimeout, func(ctx context.Context) (uint64, error) {
			return r.indexOnce(ctx, level)
		}, func(reads int, took time.Duration, err error) { r.observer.ReadRound(level, reads, took, err) })
		rounds[level].Pace(roundPace)
	}
	return rounds
}

func (r *reader) indexOnce(ctx context.Context, level model.Level) (uint64, error) {
	if r.node.IsLeader() {
		return r.leadingIndex(ctx, level, model.TermAck{})
	}
	_, address := r.node.Leader()
	if address == "" {
		return 0, r.cluster.NobodyLeads()
	}
	index, err := r.peers.ReadIndex(ctx, address, level, r.termAck())
	if err != nil {
		// A question changes nothing: whatever went wrong, it may be asked again.
		return 0, fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return index, nil
}

// leadingIndex returns the index for reads of a level, of the member that ack is of or of this node itself, which leads.
func (r *reader) leadingIndex(ctx context.Context, level model.Level, ack model.TermAck) (index uint64, err error) {
	if level == model.LevelLeader {
		index, err = r.node.LeaderIndex(ctx)
	} else {
		index, err = r.node.ReadIndexFor(ctx, ack)
	}
	return index, notLeaderInTime(err)
}

// termAck returns the term that this node is in now: after everything that it then asks for arrived.
func (r *reader) termAck() model.TermAck {
	return model.TermAck{Node: r.node.Identity().Node, Term: r.node.Term()}
}

// notLeaderInTime makes a model.ErrNotLeader of a leader that could not prove in time that it leads.
func notLeaderInTime(err error) error {
	if errors.Is(err, model.ErrTimeout) {
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return err
}
