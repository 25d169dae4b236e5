package state

import (
	"hash/maphash"
	"sync"
)

// shards keeps readers of different ids off each other's locks.
const shards = 64

// index knows the current revision of every id, as readers may see it, and the hash of its
// row. The applier alone writes it. It is the judge of every cache and of the database, and answers for absent ids
// without a look at any (docs/design.md: caches are derived).
//
// It keeps no ids but 128 bits of two hashes, whose seeds only this process knows: two ids that meet are less likely than
// a memory that errs, and nobody can look for them. So its maps have no pointers, and the garbage collector does
// not walk over them: it costs 40 to 80 bytes an id, however long that is.
type index struct {
	seeds  [2]maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu    sync.RWMutex
	marks map[idHash]packedMark
}

type idHash [2]uint64

// packedMark is a Mark in 16 bytes: a revision leaves its highest bit to Detailed.
type packedMark struct{ revision, hash uint64 }

const packedDetailed = 1 << 63

func pack(m Mark) packedMark {
	p := packedMark{m.Revision, m.hash}
	if m.Detailed {
		p.revision |= packedDetailed
	}
	return p
}

func (p packedMark) mark() Mark {
	return Mark{Revision: p.revision &^ packedDetailed, hash: p.hash, Detailed: p.revision&packedDetailed != 0}
}

func newIndex() *index {
	x := &index{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	x.clear()
	return x
}

// shard returns the part of the index that an id is in, and the id's hash there.
func (x *index) shard(id string) (*shard, idHash) {
	hash := idHash{maphash.String(x.seeds[0], id), maphash.String(x.seeds[1], id)}
	return &x.shards[hash[0]%shards], hash
}

func (x *index) get(id string) (current Mark, exists bool) {
	s, hash := x.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	packed, exists := s.marks[hash]
	return packed.mark(), exists
}

// set notes what is current.
func (x *index) set(id string, current Mark) {
	s, hash := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks[hash] = pack(current)
}

func (x *index) remove(id string) {
	s, hash := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.marks, hash)
}

func (x *index) clear() {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		s.marks = map[idHash]packedMark{}
		s.mu.Unlock()
	}
}

func (x *index) len() int {
	n := 0
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.RLock()
		n += len(s.marks)
		s.mu.RUnlock()
	}
	return n
}
