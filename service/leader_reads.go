package service

import (
	"context"
	"errors"

	"versiond/group"
	"versiond/model"
	"versiond/wire"
)

// leaderReadLimits: up to two requests on their way, and what comes meanwhile in the next one. What does not
// fit waits for this node's own applier instead.
var leaderReadLimits = group.Limits{
	GroupSizeMax: 128 << 10, GroupCountMax: wire.ReadsMax, InFlightMax: 2,
	WaitingItemsMax: 4 * wire.ReadsMax, WaitingSizeMax: 1 << 20,
}

// leaderReads passes on linearizable reads of a follower that is behind its own log, one request for all
// that wait. The leader has applied what is acknowledged; to wait for it here would make this node apply
// entry by entry what it could apply together.
type leaderReads struct {
	service *VersionService
	batcher *group.Batcher[string, leaderFound]
}

// leaderFound is a record as the leader has it, and the index that it reflects.
type leaderFound struct {
	model.Found
	index uint64
}

func newLeaderReads(s *VersionService) *leaderReads {
	r := &leaderReads{service: s}
	r.batcher = group.NewBatcher(leaderReadLimits, r.readGroup)
	return r
}

// apt reports whether a read should go to the leader rather than wait for this node's applier.
func (r *leaderReads) apt(opts model.ReadOptions) bool {
	node := r.service.node
	return opts.Level == model.LevelLinearizable && opts.MinIndex == 0 && !node.IsLeader() &&
		node.LastIndex() > node.AppliedIndex() && r.service.whyRemoved() == nil
}

// read returns a record as the leader has it. Any error but model.ErrNotFound means that it could not be had
// this way.
func (r *leaderReads) read(ctx context.Context, id string) (model.Result, error) {
	found, err := r.batcher.Do(ctx, id, len(id), 1)
	if err == nil && !found.Exists {
		err = model.ErrNotFound
	}
	return model.Result{Record: convertToRecord(found.Version), Index: found.index}, err
}

func (r *leaderReads) readGroup(take func() group.Batch[string]) ([]leaderFound, error) {
	ids := take().Requests
	if len(ids) == 0 {
		return nil, nil
	}
	found, index, err := r.ask(ids)
	if err != nil {
		return nil, err
	}
	results := make([]leaderFound, len(found))
	for i, each := range found {
		results[i] = leaderFound{each, index}
	}
	return results, nil
}

func (r *leaderReads) ask(ids []string) ([]model.Found, uint64, error) {
	ctx, cancel := context.WithTimeout(r.service.ctx, readIndexTimeout)
	defer cancel()
	_, address := r.service.node.Leader()
	if address == "" {
		return nil, 0, model.ErrNotLeader
	}
	return r.service.peers.Read(ctx, address, ids, r.service.termAck())
}

func (r *leaderReads) close() { r.batcher.Close() }

// termAck returns the term that this node is in now: after everything that it then asks for arrived.
func (s *VersionService) termAck() model.TermAck {
	return model.TermAck{Node: s.NodeID(), Term: s.node.Term()}
}

// LeaderRead returns records as linearizable reads of another member find them; model.ErrNotLeader on every
// node but the leader.
func (s *VersionService) LeaderRead(ctx context.Context, ids []string, ack model.TermAck) (found []model.Found, index uint64, err error) {
	fresh, err := s.node.ReadIndexFor(ctx, ack)
	if err != nil {
		return nil, 0, notLeaderInTime(err)
	}
	err = s.readOnce(func() error { return s.awaitIndex(ctx, fresh, fresh) }, func() error {
		index = s.node.AppliedIndex()
		found, err = s.lookupAll(ctx, ids)
		return err
	})
	if errors.Is(err, errPassToLeader) {
		err = model.ErrNotLeader // it was replaced while it read
	}
	return found, index, err
}

func (s *VersionService) lookupAll(ctx context.Context, ids []string) ([]model.Found, error) {
	found := make([]model.Found, len(ids))
	for i, id := range ids {
		row, err := s.lookup(ctx, id)
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			return nil, err
		}
		found[i] = model.Found{Version: row, Exists: err == nil}
	}
	return found, nil
}
