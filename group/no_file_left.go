package group

import (
	"container/list"
	"errors"
	"sync"
	"syscall"
)

// OldestFirstSet is a set that remembers who came first, so that those who wait longest can make room. All
// methods may be called from any goroutine.
type OldestFirstSet[T comparable] struct {
	mu     sync.Mutex
	order  *list.List // the oldest first
	places map[T]*list.Element
}

// NewOldestFirstSet makes an empty OldestFirstSet.
func NewOldestFirstSet[T comparable]() *OldestFirstSet[T] {
	return &OldestFirstSet[T]{order: list.New(), places: map[T]*list.Element{}}
}

// Enter puts an item at the end, and returns how many there are. One that is there already stays where it is.
func (s *OldestFirstSet[T]) Enter(item T) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.places[item]; !there {
		s.places[item] = s.order.PushBack(item)
	}
	return len(s.places)
}

// Leave takes an item out, and reports whether it was there.
func (s *OldestFirstSet[T]) Leave(item T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(item)
}

func (s *OldestFirstSet[T]) remove(item T) bool {
	place, there := s.places[item]
	if there {
		s.order.Remove(place)
		delete(s.places, item)
	}
	return there
}

// Oldest takes out the item that has been there longest; there is none when the set is empty.
func (s *OldestFirstSet[T]) Oldest() (item T, there bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.order.Front()
	if first == nil {
		return item, false
	}
	item = first.Value.(T)
	return item, s.remove(item)
}

// NoFileLeft reports whether an error means that this process, or the machine, has as many files open as it may, so
// that a listener has to make room.
func NoFileLeft(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
