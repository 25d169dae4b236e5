package service

import "encoding/binary"

// markTable is a map from ids to marks of which the garbage collector sees three slices without
// pointers: for millions of ids a map[string]mark takes half as much again, and the collector walks over
// all of it in every cycle, and lets the heap grow by as much before the next.
//
// The caller hashes the ids and keeps others off meanwhile. The zero value is an empty table.
type markTable struct {
	slots   []uint32 // open addressing, a power of two of them: 0 is empty, others are an entry's number plus 1
	entries []markEntry
	ids     []byte // each with its length before it
	free    uint32 // the first entry that is free, its number plus 1; the others follow by at
	live    int
	wasted  int // bytes of ids that are gone
}

type markEntry struct {
	mark
	// hash is that of the id: what it is found by, and what spares comparing most others.
	hash uint32
	// at is where the id is; of a free entry, the next free one.
	at uint32
}

const (
	markSlotsMin = 8
	// wastedMin keeps small tables from being packed again and again.
	wastedMin = 4096
)

// get gives the mark of an id.
func (t *markTable) get(hash uint32, id string) (mark, bool) {
	slot, exists := t.find(hash, id)
	if !exists {
		return mark{}, false
	}
	return t.entries[t.slots[slot]-1].mark, true
}

// set notes a mark, and copies an id that is new.
func (t *markTable) set(hash uint32, id string, m mark) {
	if slot, exists := t.find(hash, id); exists {
		t.entries[t.slots[slot]-1].mark = m
		return
	}
	if t.live++; 4*t.live > 3*len(t.slots) {
		t.grow()
	}
	number := t.take()
	t.entries[number-1] = markEntry{mark: m, hash: hash, at: uint32(len(t.ids))}
	t.ids = binary.AppendUvarint(t.ids, uint64(len(id)))
	t.ids = append(t.ids, id...)
	t.slots[t.emptySlot(hash)] = number
}

// remove forgets an id; one that is not there is no error.
func (t *markTable) remove(hash uint32, id string) {
	slot, exists := t.find(hash, id)
	if !exists {
		return
	}
	number := t.slots[slot]
	t.entries[number-1].at, t.free = t.free, number
	t.live--
	t.wasted += len(binary.AppendUvarint(nil, uint64(len(id)))) + len(id)
	t.close(slot)
	if t.wasted > wastedMin && 2*t.wasted > len(t.ids) {
		t.pack()
	}
}

// find gives the slot of an id, if it has one.
func (t *markTable) find(hash uint32, id string) (slot uint32, exists bool) {
	if t.live == 0 {
		return 0, false
	}
	for slot = t.home(hash); t.slots[slot] != 0; slot = t.next(slot) {
		if e := &t.entries[t.slots[slot]-1]; e.hash == hash && string(t.id(e)) == id {
			return slot, true
		}
	}
	return 0, false
}

func (t *markTable) home(hash uint32) uint32 { return hash & uint32(len(t.slots)-1) }

func (t *markTable) next(slot uint32) uint32 { return (slot + 1) & uint32(len(t.slots)-1) }

func (t *markTable) id(e *markEntry) []byte {
	length, width := binary.Uvarint(t.ids[e.at:])
	return t.ids[int(e.at)+width:][:length]
}

func (t *markTable) emptySlot(hash uint32) uint32 {
	slot := t.home(hash)
	for t.slots[slot] != 0 {
		slot = t.next(slot)
	}
	return slot
}

// take gives the number of an entry that may be used.
func (t *markTable) take() uint32 {
	if number := t.free; number != 0 {
		t.free = t.entries[number-1].at
		return number
	}
	t.entries = append(t.entries, markEntry{})
	return uint32(len(t.entries))
}

// close empties a slot, and moves up what is no longer found past an empty one.
func (t *markTable) close(empty uint32) {
	t.slots[empty] = 0
	for slot := t.next(empty); t.slots[slot] != 0; slot = t.next(slot) {
		home := t.home(t.entries[t.slots[slot]-1].hash)
		mask := uint32(len(t.slots) - 1)
		if (slot-home)&mask >= (slot-empty)&mask { // its home is not between the two
			t.slots[empty], t.slots[slot] = t.slots[slot], 0
			empty = slot
		}
	}
}

func (t *markTable) grow() {
	old := t.slots
	t.slots = make([]uint32, max(markSlotsMin, 2*len(old)))
	for _, number := range old {
		if number != 0 {
			t.slots[t.emptySlot(t.entries[number-1].hash)] = number
		}
	}
}

// pack copies the ids that are left together.
func (t *markTable) pack() {
	ids := make([]byte, 0, len(t.ids)-t.wasted)
	for _, number := range t.slots {
		if number == 0 {
			continue
		}
		e := &t.entries[number-1]
		id, at := t.id(e), uint32(len(ids))
		ids = append(binary.AppendUvarint(ids, uint64(len(id))), id...)
		e.at = at
	}
	t.ids, t.wasted = ids, 0
}
