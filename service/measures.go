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
		State: status.State, LeaderKnown: status.LeaderID != "", Serving: s.guard.Serving(), Removed: s.cluster.Removed() != nil,
		StoreDiffers: s.trust.Err() != nil, MembersDisagree: s.trust.Conflict() != "",
		LogHeld: s.node.LogFailure() != nil,
		Term:    status.Term, CommitIndex: status.Commit, AppliedIndex: status.Applied, LastIndex: status.LastIndex,
		LastContact: time.Duration(status.LastContactMS) * time.Millisecond, ApplierLag: s.node.Lag(),
		Members: len(status.Members), Voters: cluster.Voters(status.Members),
		Records: s.mysql.records.Len(), MemoryRecords: s.redis.memory.Len(),
		Lookups: s.reads.lookup.counts(), StoreReadFailures: s.reads.lookup.reads.failures.Load(),
	}
	watched := s.hub.Counts()
	m.Watchers, m.WatchEvents, m.WatchersTooSlow = watched.Watchers, watched.Events, watched.TooSlow
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

// Observer is told what the service does, as it happens and on the goroutine that does it: an Observer
// returns at once. Its methods may be called from several goroutines.
type Observer interface {
	// Written is called for each write that a client asked for; err is what came of it.
	Written(command model.CommandType, err error, took time.Duration)
	// BatchWritten is called for each batch that a client asked for; err is why it was not decided.
	BatchWritten(unit model.Unit, result model.UnitResult, err error, took time.Duration)
	// Forwarded is called for each request that passes writes to the leader.
	Forwarded(commands int)
	// ReadRound is called for each round of finding out an index to read at, which reads shared.
	ReadRound(level model.Level, reads int, took time.Duration, err error)
	// Reloaded is called for each reload of Redis; done is false when it is another node's turn.
	Reloaded(done bool, took time.Duration, err error)
	// Checked is called when all rows were read and held against the running checksum, or were to be.
	// An error that matches model.ErrStoreDiffers means that they are others.
	Checked(took time.Duration, err error)
	// Diverged is called when the store was found to differ from the log, in one of the few ways that
	// foundBy names.
	Diverged(foundBy string)
}
