package service

import (
	"hash/maphash"
	"sync"
)

// revisionShards keeps readers of different ids off each other's locks.
const revisionShards = 64

// revisionIndex knows the current revision of every id, as readers may see it, and the hash of its
// row. The applier alone writes it; it costs about 40 bytes an id, and the id. It is the judge of every
// cache and of the database, and answers for absent ids without a look at any (design section 4, rule 6).
type revisionIndex struct {
	seed   maphash.Seed
	shards [revisionShards]revisionShard
}

type revisionShard struct {
	mu    sync.RWMutex
	marks markTable
}

func newRevisionIndex() *revisionIndex { return &revisionIndex{seed: maphash.MakeSeed()} }

// shard gives the part of the index that an id is in, and the id's hash there.
func (x *revisionIndex) shard(id string) (*revisionShard, uint32) {
	hash := maphash.String(x.seed, id)
	return &x.shards[hash%revisionShards], uint32(hash >> 32)
}

func (x *revisionIndex) get(id string) (current mark, exists bool) {
	s, hash := x.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.marks.get(hash, id)
}

// set notes what is current. The id is copied: it may be part of a log entry that should not live on.
func (x *revisionIndex) set(id string, current mark) {
	s, hash := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks.set(hash, id, current)
}

func (x *revisionIndex) remove(id string) {
	s, hash := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks.remove(hash, id)
}

func (x *revisionIndex) clear() {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		s.marks = markTable{}
		s.mu.Unlock()
	}
}

func (x *revisionIndex) size() int {
	n := 0
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.RLock()
		n += s.marks.live
		s.mu.RUnlock()
	}
	return n
}
