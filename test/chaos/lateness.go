package chaos

import (
	"context"
	"sync"
	"time"
)

const (
	latenessInterval = 20 * time.Millisecond
	// latenessTimes is how often what bounds on time are about may have to wait for the processor as long as the test once had: an
	// election is several steps on several nodes, and so is a write after it.
	latenessTimes = 4
)

// lateness measures how late a machine is: how long after their time timers of this process come up.
type lateness struct {
	wg    sync.WaitGroup
	worst time.Duration
}

// measureLateness measures until the context ends.
func measureLateness(ctx context.Context) *lateness {
	l := &lateness{}
	l.wg.Go(func() {
		for {
			began := time.Now()
			select {
			case <-time.After(latenessInterval):
				l.worst = max(l.worst, time.Since(began)-latenessInterval)
			case <-ctx.Done():
				return
			}
		}
	})
	return l
}

// wait returns the worst, once the context has ended.
func (l *lateness) wait() time.Duration {
	l.wg.Wait()
	return l.worst
}
