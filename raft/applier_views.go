package raft

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
)

// openViews opens the views that are due, and reports whether the one of a snapshot was among them.
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
	if a.open.At(request.index) != nil {
		request.settle(nil, errRestoreOpen)
		return nil
	}
	return a.settleView(ctx, request)
}

// settleView settles the request with its view, or with an error. When the store is not as this applier
// left it, that is model.ErrNotCaughtUp, and settleView returns model.ErrStateMoved.
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
	ctx, cancel := context.WithTimeout(ctx, viewWaitMax) // whoever asked has left by then
	defer cancel()
	view, err := a.service.OpenViewInternal(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.expect(view.State(), a.stored); err != nil {
		return nil, errors.Join(err, view.Close())
	}
	return view, nil
}
