package service

import (
	"hash/maphash"
	"strings"
	"sync"
)

// revisionShards keeps readers of different ids off each other's locks.
const revisionShards = 64

// revisionIndex knows the current revision of every id, as readers may see it, and the hash of its
// row. The applier alone writes it; it costs about 100 bytes an id. It is the judge of every cache and
// of the database, and answers for absent ids without a look at any (design section 4, rule 6).
type revisionIndex struct {
	seed   maphash.Seed
	shards [revisionShards]revisionShard
}

type revisionShard struct {
	mu    sync.RWMutex
	marks map[string]mark
}

func newRevisionIndex() *revisionIndex {
	x := &revisionIndex{seed: maphash.MakeSeed()}
	x.clear()
	return x
}

func (x *revisionIndex) shard(id string) *revisionShard {
	return &x.shards[maphash.String(x.seed, id)%revisionShards]
}

func (x *revisionIndex) get(id string) (current mark, exists bool) {
	s := x.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	current, exists = s.marks[id]
	return current, exists
}

// set notes what is current. The id is copied: it may be part of a log entry that should not live on.
func (x *revisionIndex) set(id string, current mark) {
	s := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, exists := s.marks[id]; !exists {
		id = strings.Clone(id)
	}
	s.marks[id] = current
}

func (x *revisionIndex) remove(id string) {
	s := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.marks, id)
}

func (x *revisionIndex) clear() {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		s.marks = map[string]mark{}
		s.mu.Unlock()
	}
}

func (x *revisionIndex) size() int {
	n := 0
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.RLock()
		n += len(s.marks)
		s.mu.RUnlock()
	}
	return n
}
