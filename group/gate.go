package group

import (
	"context"
	"sync/atomic"

	"versiond/model"
)

// Gate lets so many callers in at once, lets so many wait, and turns the others away. All methods may
// be called from any goroutine.
type Gate struct {
	places  chan struct{}
	waiting atomic.Int64
	waitMax int64
}

// NewGate makes a Gate of at least one place; waitMax may be 0.
func NewGate(places, waitMax int) *Gate {
	return &Gate{places: make(chan struct{}, max(places, 1)), waitMax: int64(waitMax)}
}

// Enter takes a place, which Leave frees. It fails with model.ErrTooManyRequests when too many wait
// already, and with the context's error when that ends first.
func (g *Gate) Enter(ctx context.Context) error {
	select {
	case g.places <- struct{}{}:
		return nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.waitMax {
		return model.ErrTooManyRequests
	}
	select {
	case g.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave frees the place that Enter took.
func (g *Gate) Leave() { <-g.places }
