package service

import (
	"context"

	"versiond/model"
)

// readPromptly returns a record without setting up what ends a wait, which costs as much as the read
// itself: where memory has what is current enough, at once or after one round, which ends by itself.
// What it does not give, the caller reads as if it had not been here. The error is model.ErrNotFound.
func (s *VersionService) readPromptly(ctx context.Context, id string, opts model.ReadOptions) (result model.Result, prompt bool, err error) {
	gen := s.trust.Gen()
	index := s.promptIndex(ctx, opts)
	result.Index = s.node.AppliedIndex()
	if index > result.Index || !s.serving() {
		return result, false, nil
	}
	row, known, err := s.remembered(id)
	if !known || s.trust.Gen() != gen {
		return result, false, nil
	}
	result.Record = convertToRecord(row)
	return result, true, err
}

// remembered returns the current row of an id, or model.ErrNotFound, where memory knows.
func (s *VersionService) remembered(id string) (row model.Version, known bool, err error) {
	current, exists := s.mysql.records.Get(id)
	if !exists {
		s.storeReads.absent.Add(1)
		return row, true, model.ErrNotFound
	}
	if row, known = s.redis.fromMemory(id, current); known {
		s.redis.memoryReads.count(true)
	}
	return row, known, nil
}

// promptIndex returns the index that a read must reflect, notPrompt where it takes more than one round.
func (s *VersionService) promptIndex(ctx context.Context, opts model.ReadOptions) uint64 {
	if opts.Level == model.LevelNone {
		if !s.level.reached.Load() {
			return notPrompt
		}
		return opts.MinIndex
	}
	// Two rounds, the one that goes on and its own, must fit into the time that the read may take.
	if s.whyRemoved() != nil || opts.Timeout < 2*readIndexTimeout || s.leaderReads.apt(opts) {
		return notPrompt
	}
	index, err := s.readIndexes[opts.Level].Do(ctx)
	if err != nil {
		return notPrompt
	}
	return max(index, opts.MinIndex)
}

// notPrompt is beyond every index.
const notPrompt = ^uint64(0)
