package transport

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"versiond/logs"
	"versiond/model"
)

// distrustSeenFor is how long it explains why no leader is known. Nodes without one try every second or two.
const distrustSeenFor = 15 * time.Second

// Distrust remembers that this node and another one do not have the same cluster secret, or do not come to speak TLS.
// Everywhere else such a node looks like one that does not answer.
type Distrust struct {
	log *slog.Logger

	mu   sync.Mutex
	err  error
	seen time.Time
}

// NewDistrust returns one of a node that has met nobody yet.
func NewDistrust(log *slog.Logger) *Distrust { return &Distrust{log: logs.Calm(log)} }

// Note takes any error, and warns of those that are about trust.
func (w *Distrust) Note(err error) {
	switch {
	case errors.Is(err, model.ErrSecretsDiffer):
		w.log.Warn("another node has another cluster secret; give all nodes of the cluster the same one", "err", err)
	case errors.Is(err, model.ErrTLSFailed):
		w.log.Warn("another node and this one do not come to speak TLS; see cluster.certFile and cluster.caFile of both", "err", err)
	default:
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err, w.seen = err, time.Now()
}

// Recent returns the error of the last seconds, nil when there was none.
func (w *Distrust) Recent() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.seen) > distrustSeenFor {
		return nil
	}
	return w.err
}
