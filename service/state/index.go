package state

import (
	"hash/maphash"
	"sync"
)

// shards keeps readers of different ids off each other's locks.
const shards = 64

// index knows the current revision of every id, as readers may see it, the hash of its row, and its platform. The applier
// alone writes it. It is the judge of every cache and of the database, and answers for absent ids
// without a look at any (docs/design.md: caches are derived).
//
// It keeps no ids but 96 bits of two hashes, whose seeds only this process knows: two ids that meet are less likely than
// a memory that errs, and nobody can look for them. So its maps have no pointers, and the garbage collector does
// not walk over them: it costs 40 to 80 bytes an id, however long that is.
type index struct {
	seeds  [2]maphash.Seed
	shards [shards]shard
	// platforms are those of the records; the applier's alone.
	platforms *platforms
}

type shard struct {
	mu    sync.RWMutex
	marks map[idHash]packedMark
}

// idHash has no 64-bit parts, so that an entry of a map is as short as what it holds.
type idHash [3]uint32

// packedMark is a Mark and the number of a platform in 20 bytes: a revision leaves its highest bit to Detailed.
type packedMark [5]uint32

const packedDetailed = 1 << 63

func pack(m Mark, platform uint32) packedMark {
	revision := m.Revision
	if m.Detailed {
		revision |= packedDetailed
	}
	return packedMark{uint32(revision), uint32(revision >> 32), uint32(m.hash), uint32(m.hash >> 32), platform}
}

func (p packedMark) mark() Mark {
	revision, hash := uint64(p[1])<<32|uint64(p[0]), uint64(p[3])<<32|uint64(p[2])
	return Mark{Revision: revision &^ packedDetailed, hash: hash, Detailed: revision&packedDetailed != 0}
}

func (p packedMark) platform() uint32 { return p[4] }

func newIndex() *index {
	x := &index{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	x.clear()
	return x
}

// hash returns what is kept of an id.
func (x *index) hash(id string) idHash {
	first, second := maphash.String(x.seeds[0], id), maphash.String(x.seeds[1], id)
	return idHash{uint32(first), uint32(first >> 32), uint32(second)}
}

// shard returns the part of the index that an id is in, and the id's hash there.
func (x *index) shard(id string) (*shard, idHash) {
	hash := x.hash(id)
	return &x.shards[hash[0]%shards], hash
}

func (x *index) get(id string) (current Mark, exists bool) {
	packed, exists := x.packed(id)
	return packed.mark(), exists
}

func (x *index) packed(id string) (packed packedMark, exists bool) {
	s, hash := x.shard(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	packed, exists = s.marks[hash]
	return packed, exists
}

// platform returns that of a record, empty where there is none.
func (x *index) platform(id string) string {
	if packed, exists := x.packed(id); exists {
		return x.platforms.name(packed.platform())
	}
	return ""
}

// set notes what is current.
func (x *index) set(id string, current Mark, platform string) {
	s, hash := x.shard(id)
	packed := pack(current, x.platforms.take(platform))
	s.mu.Lock()
	defer s.mu.Unlock()
	if former, existed := s.marks[hash]; existed {
		x.platforms.release(former.platform())
	}
	s.marks[hash] = packed
}

func (x *index) remove(id string) {
	s, hash := x.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if former, existed := s.marks[hash]; existed {
		x.platforms.release(former.platform())
		delete(s.marks, hash)
	}
}

func (x *index) clear() {
	x.platforms = newPlatforms()
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
