package service

import (
	"errors"
	"sync/atomic"
	"time"

	"versiond/model"
	"versiond/service/cluster"
)

// tier counts the reads that came to one place where records are kept.
type tier struct{ hits, misses atomic.Uint64 }

func (t *tier) count(hit bool) {
	if hit {
		t.hits.Add(1)
	} else {
		t.misses.Add(1)
	}
}

// storeReads counts what reads find in the database.
type storeReads struct {
	tier
	absent   atomic.Uint64 // answered without the database
	failures atomic.Uint64
}

// failed counts err if the store is to blame for it.
func (r *storeReads) failed(err error) {
	if errors.Is(err, model.ErrStoreUnavailable) {
		r.failures.Add(1)
	}
}

// Measures returns how the node does in numbers. It asks neither the store nor Redis, so it answers
// while they do not; any goroutine may call it.
func (s *VersionService) Measures() model.Measures {
	status := s.node.Status()
	m := model.Measures{
		State: status.State, LeaderKnown: status.LeaderID != "", Serving: s.serving(), Removed: s.cluster.Removed() != nil,
		StoreDiffers: s.trust.Err() != nil, MembersDisagree: s.trust.Conflict() != "",
		LogHeld: s.node.LogFailure() != nil,
		Term:    status.Term, CommitIndex: status.Commit, AppliedIndex: status.Applied, LastIndex: status.LastIndex,
		LastContact: time.Duration(status.LastContactMS) * time.Millisecond, ApplierLag: s.node.Lag(),
		Members: len(status.Members), Voters: cluster.Voters(status.Members),
		Records: s.mysql.records.Len(), MemoryRecords: s.redis.memory.Len(),
		Lookups: s.reads.lookup.counts(), StoreReadFailures: s.reads.lookup.reads.failures.Load(),
	}
	if writer := s.redis.writer; writer != nil {
		m.RedisPending, m.RedisFailures = writer.waiting(), writer.failures.Load()
	}
	return m
}

func (l *lookup) counts() model.Lookups {
	return model.Lookups{
		Absent:     l.reads.absent.Load(),
		MemoryHits: l.redis.memoryReads.hits.Load(), MemoryMisses: l.redis.memoryReads.misses.Load(),
		RedisHits: l.redis.redisReads.hits.Load(), RedisMisses: l.redis.redisReads.misses.Load(),
		StoreHits: l.reads.hits.Load(), StoreMisses: l.reads.misses.Load(),
	}
}
