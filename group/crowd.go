package group

import (
	"container/list"
	"sync"
)

// Crowd is a set that remembers who came first, so that those who wait longest can make room. All
// methods may be called from any goroutine.
type Crowd[T comparable] struct {
	mu     sync.Mutex
	order  *list.List // the oldest first
	places map[T]*list.Element
}

// NewCrowd makes an empty Crowd.
func NewCrowd[T comparable]() *Crowd[T] {
	return &Crowd[T]{order: list.New(), places: map[T]*list.Element{}}
}

// Enter puts an item at the end, and gives how many there are. One that is there already stays where it is.
func (c *Crowd[T]) Enter(item T) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.places[item]; !there {
		c.places[item] = c.order.PushBack(item)
	}
	return len(c.places)
}

// Leave takes an item out, and says whether it was there.
func (c *Crowd[T]) Leave(item T) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.remove(item)
}

func (c *Crowd[T]) remove(item T) bool {
	place, there := c.places[item]
	if there {
		c.order.Remove(place)
		delete(c.places, item)
	}
	return there
}

// Oldest takes out the item that has been there longest; there is none when the crowd is empty.
func (c *Crowd[T]) Oldest() (item T, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.order.Front()
	if first == nil {
		return item, false
	}
	item = first.Value.(T)
	return item, c.remove(item)
}
