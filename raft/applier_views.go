package raft

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
)

// verifyTimeout is below stuckAfter: a look at a store for which there is nothing to apply must not
// make the node pass for stuck.
const verifyTimeout = time.Second

// openViews opens the views that are due, and says whether the one of a snapshot was among them.
func (a *applier) openViews(ctx context.Context) (bool, error) {
	if request := a.queue.dueView(a.applied.Index); request != nil {
		return true, a.openView(ctx, request)
	}
	if !a.progress.serving.Load() {
		return false, nil // readers have seen more than the store holds yet
	}
	for request := a.queue.takeView(); request != nil; request = a.queue.takeView() {
		request.at = a.applied
		if err := a.settleView(ctx, request); err != nil {
			return false, err
		}
	}
	return false, nil
}

// openView opens the view of a snapshot, which is of exactly the index that it names.
func (a *applier) openView(ctx context.Context, request *viewRequest) error {
	if last := a.fsm.lastCommand.Load(); last > request.index {
		request.settle(nil, fmt.Errorf("the store is at index %d already, past the snapshot's %d", last, request.index))
		return nil
	}
	return a.settleView(ctx, request)
}

// settleView gives the request its view, or model.ErrNotCaughtUp when the store is not as this applier
// left it; then it returns model.ErrStateMoved.
func (a *applier) settleView(ctx context.Context, request *viewRequest) error {
	view, err := a.viewOfStored(ctx)
	if errors.Is(err, model.ErrStateMoved) {
		request.settle(nil, fmt.Errorf("%w: %w", model.ErrNotCaughtUp, err))
		return err
	}
	request.settle(view, err)
	return nil
}

// viewOfStored opens a view and looks that it holds what this applier has stored. A database that was
// killed may have come back without its last commits: a snapshot or a backup of it would lack them for
// good, since the log is cut off behind a snapshot.
func (a *applier) viewOfStored(ctx context.Context) (View, error) {
	view, err := a.service.OpenViewInternal(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.expect(view.State(), a.stored); err != nil {
		return nil, errors.Join(err, view.Close())
	}
	return view, nil
}

// verify looks whether the store still is as this applier left it: model.ErrStateMoved when not. A
// store that does not answer is not judged.
func (a *applier) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	err := a.verifyAt(ctx, a.stored)
	if errors.Is(err, model.ErrStateMoved) {
		return err
	}
	return nil
}

func (a *applier) verifyAt(ctx context.Context, at model.Position) error {
	state, err := a.service.StateInternal(ctx)
	if errors.Is(err, model.ErrNoState) {
		return fmt.Errorf("%w: %w", model.ErrStateMoved, err)
	}
	if err != nil {
		return err
	}
	return a.expect(state, at)
}

func (a *applier) expect(found model.StoreState, at model.Position) error {
	if found.Identity != a.identity() || found.Applied != at || found.Restoring {
		return fmt.Errorf("%w: it is at index %d and was left at %d", model.ErrStateMoved, found.Applied.Index, at.Index)
	}
	return nil
}

// VerifyStore has the applier look whether the store is as it left it, and mend it if not. Whoever sees
// something there that cannot be calls it; to be wrong costs one query.
func (n *Node) VerifyStore() {
	n.progress.unsure.Store(true)
	n.fsm.queue.notify()
}

// StoredIndex is the highest index with commands whose effect this node has seen its store commit: no
// later look at the store may find less.
func (n *Node) StoredIndex() uint64 { return n.fsm.lastCommand.Load() }
