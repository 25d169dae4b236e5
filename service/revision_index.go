package service

import (
	"hash/maphash"
	"strings"
	"sync"
)

// revisionShards keeps readers of different ids off each other's locks.
const revisionShards = 64

// revisionIndex knows the current revision of every id, as readers may see it. The applier alone
// writes it; it costs about 100 bytes an id. It is the judge of every cache, and answers for absent
// ids without a look at any (design section 4, rule 6).
type revisionIndex struct {
	seed   maphash.Seed
	shards [revisionShards]revisionShard
}

type revisionShard struct {
	mu        sync.RWMutex
	revisions map[string]uint64
}

func newRevisionIndex() *revisionIndex {
	x := &revisionIndex{seed: maphash.MakeSeed()}
	x.clear()
	return x
}

func (x *revisionIndex) shard(id string) *revisionShard {
	return &x.shards[maphash.String(x.seed, id)%revisionShards]
}

func (x *revisionIndex) get(id string) (revision uint64, exists bool) {
	s := x.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	revision, exists = s.revisions[id]
	return revision, exists
}

// set notes a revision. The id is copied: it may be part of a log entry that should not live on.
func (x *revisionIndex) set(id string, revision uint64) {
	s := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.revisions[id]; !exists {
		id = strings.Clone(id)
	}
	s.revisions[id] = revision
}

func (x *revisionIndex) remove(id string) {
	s := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.revisions, id)
}

func (x *revisionIndex) clear() {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		s.revisions = map[string]uint64{}
		s.mu.Unlock()
	}
}

func (x *revisionIndex) size() int {
	n := 0
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.RLock()
		n += len(s.revisions)
		s.mu.RUnlock()
	}
	return n
}
