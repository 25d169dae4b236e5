package transport

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"versiond/logs"
	"versiond/model"
)

// secretSeenFor is how long it explains why no leader is known. Nodes without one try every second or two.
const secretSeenFor = 15 * time.Second

// Secrets remembers that this node and another one do not have the same cluster secret. Everywhere else such a
// node looks like one that does not answer.
type Secrets struct {
	log *slog.Logger

	mu   sync.Mutex
	err  error
	seen time.Time
}

// NewSecrets returns one that has met nobody yet.
func NewSecrets(log *slog.Logger) *Secrets { return &Secrets{log: logs.Calm(log)} }

// Note takes any error, and warns of those that are about secrets.
func (w *Secrets) Note(err error) {
	if !errors.Is(err, model.ErrSecretsDiffer) {
		return
	}
	w.log.Warn("another node has another cluster secret; give all nodes of the cluster the same one", "err", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err, w.seen = err, time.Now()
}

// Recent returns the error of the last seconds, nil when there was none.
func (w *Secrets) Recent() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.seen) > secretSeenFor {
		return nil
	}
	return w.err
}
