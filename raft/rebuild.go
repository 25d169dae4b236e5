package raft

import (
	"context"

	"versiond/model"
)

// RebuildStore has the applier build the store anew from the newest snapshot and the log, although its
// state row is as this node left it. It returns once the store is loaded again; the log that leads on from
// there is applied after that, and readers see the store when it has come as far as it was. Calls at one time share a rebuild.
func (n *Node) RebuildStore(ctx context.Context) error {
	if !n.Running() {
		return model.ErrNotCaughtUp
	}
	select {
	case <-n.fsm.queue.requestRebuild():
		return nil
	case <-n.Failed():
		return n.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// requestRebuild returns what is closed when the store was built anew.
func (q *queue) requestRebuild() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.rebuild == nil {
		q.rebuild = make(chan struct{})
	}
	q.wake.Set()
	q.urgent.Set()
	return q.rebuild
}

func (q *queue) rebuildDue() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.rebuild != nil
}

func (q *queue) rebuilt() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.rebuild)
	q.rebuild = nil
}

// rebuildAnyway goes the way of every other store that is not what it should be: whose it is has to be
// seen first, and nothing is served until it is through.
func (a *applier) rebuildAnyway(ctx context.Context) error {
	a.distrusted = true
	if err := a.reconcile(ctx); err != nil {
		return err
	}
	a.distrusted = false
	a.queue.rebuilt()
	return nil
}
