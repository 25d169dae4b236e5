package raft

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

// secretWatch remembers that this node and another one do not have the same cluster secret. Everywhere else such a
// node looks like one that does not answer.
type secretWatch struct {
	log *slog.Logger

	mu   sync.Mutex
	err  error
	seen time.Time
}

func newSecretWatch(log *slog.Logger) *secretWatch { return &secretWatch{log: logs.Calm(log)} }

// note takes any error, and warns of those that are about secrets.
func (w *secretWatch) note(err error) {
	if !errors.Is(err, model.ErrSecretsDiffer) {
		return
	}
	w.log.Warn("another node has another cluster secret; give all nodes of the cluster the same one", "err", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err, w.seen = err, time.Now()
}

func (w *secretWatch) recent() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.seen) > secretSeenFor {
		return nil
	}
	return w.err
}

// NoteSecret remembers err if it says that another node has another cluster secret.
func (n *Node) NoteSecret(err error) { n.secrets.note(err) }

// SecretFailure returns the error of a node that has lately met one with another cluster secret, nil elsewhere.
func (n *Node) SecretFailure() error { return n.secrets.recent() }
