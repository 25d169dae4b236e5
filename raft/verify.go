package raft

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
)

// verifyTimeout is below StuckAfter: a look at a store for which there is nothing to apply must not
// make the node pass for stuck.
const verifyTimeout = StuckAfter / 2

// verifyIfUnsure looks at the store when somebody wants that. It keeps nothing else from its turn, however often somebody does.
func (a *applier) verifyIfUnsure(ctx context.Context) error {
	if !a.progress.unsure.Swap(false) {
		return nil
	}
	return a.verify(ctx)
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
	if errors.Is(err, model.ErrNoState) || errors.Is(err, model.ErrStoreDiffers) {
		return fmt.Errorf("%w: %w", model.ErrStateMoved, err)
	}
	if err != nil {
		return err
	}
	return a.expect(state, at)
}

func (a *applier) expect(found model.StoreState, at model.Position) error {
	switch left := a.service.ChecksumInternal(); {
	case found.Identity != a.dir.Identity():
		return fmt.Errorf("%w: it is that of node %q of cluster %s", model.ErrStateMoved, found.Node, found.Cluster)
	case found.Restoring:
		return fmt.Errorf("%w: somebody has begun to load other records", model.ErrStateMoved)
	case found.Applied != at:
		return fmt.Errorf("%w: it is at index %d of term %d and was left at %d of term %d", model.ErrStateMoved, found.Applied.Index, found.Applied.Term, at.Index, at.Term)
	case found.Checksum != left:
		return fmt.Errorf("%w: at index %d it has the checksum %s and was left with %s", model.ErrStateMoved, at.Index, found.Checksum, left)
	}
	return nil
}

// VerifyStore has the applier look whether the store is as it left it, and mend it if not. Whoever sees
// something there that cannot be calls it; to be wrong costs one query.
func (n *Node) VerifyStore() {
	n.unsure.Store(true)
	n.fsm.queue.wake.Set()
}

// StoredIndex is the highest index with commands whose effect this node has seen its store commit: no
// later look at the store may find less.
func (n *Node) StoredIndex() uint64 { return n.fsm.lastCommand.Load() }
