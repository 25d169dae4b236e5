package service

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
	"versiond/service/changes"
)

// Watch returns what follows the changes of a filter, and has to be closed: from all records or from now on, as current as
// opts asks, or from a revision on, also of another node, for which nobody is asked. Errors: model.ErrRevisionGone,
// ErrTooManyRequests, ErrNotCaughtUp, ErrNodeRemoved, a *model.ValidationError for a revision that there is not yet, and those
// of awaiting what is asked for.
func (s *VersionService) Watch(ctx context.Context, request changes.Request, opts model.ReadOptions) (*changes.Watcher, error) {
	node := watchedNode{s}
	err := node.Fit()
	switch {
	case err != nil:
	case request.Now || request.List:
		err = s.awaitHere(ctx, opts)
	default:
		err = s.awaitRevision(ctx, request.Since, opts.MinIndex)
	}
	if err != nil {
		return nil, err
	}
	return s.hub.Watch(node, request)
}

// EndWatches ends all streams, as the node is about to stop.
func (s *VersionService) EndWatches() { s.hub.Close() }

// awaitHere returns once this node's store is as current as opts asks.
func (s *VersionService) awaitHere(ctx context.Context, opts model.ReadOptions) error {
	err := s.reads.awaitFresh(ctx, opts, s.reads.freshIndex, asLongAsAsked)
	if errors.Is(err, errPassToLeader) {
		return fmt.Errorf("%w (%w)", model.ErrNotCaughtUp, err)
	}
	return err
}

// awaitRevision waits until this node has applied all up to a revision. The leader is asked whether there is one that this
// node does not know to be committed.
func (s *VersionService) awaitRevision(ctx context.Context, revision, minIndex uint64) error {
	index := model.IndexOf(revision)
	if index > max(s.node.AppliedIndex(), s.node.CommitIndex()) {
		committed, err := s.reads.freshIndex(ctx, model.LevelLinearizable)
		if err != nil {
			return err
		}
		if index > committed {
			return &model.ValidationError{Fields: []model.FieldError{{Field: "since", Detail: fmt.Sprintf(
				"is of the future: the cluster is at revision %d; send the last one that was seen, or now", model.Revision(committed, 0))}}}
		}
	}
	return s.node.WaitApplied(ctx, max(index, minIndex))
}

// watchedNode is what watchers ask.
type watchedNode struct{ *VersionService }

// Page reads what this node has applied.
func (n watchedNode) Page(ctx context.Context, list model.ListOptions) (model.Page, uint64, error) {
	return n.ListVersions(ctx, list, model.ReadOptions{Level: model.LevelNone})
}

// Fit returns why the node should not be watched: nothing comes to one that was removed, and what is in a store that is
// built anew is not all.
func (n watchedNode) Fit() error {
	if err := n.cluster.Removed(); err != nil {
		return err
	}
	if !n.guard.Serving() {
		return model.ErrNotCaughtUp
	}
	return nil
}

// ChangesAfter reads what is kept of the changes. A store that has lost some may not show it by what it holds, so that watchers
// would pass over them.
func (n watchedNode) ChangesAfter(ctx context.Context, revision uint64, limit int) ([]model.Change, uint64, error) {
	gen := n.trust.Gen()
	kept, _, err := newEnough(n.reads.lookup, func() (keptChanges, uint64, error) { return n.mysql.changesAfter(ctx, revision, limit) })
	if n.trust.Gen() != gen || !n.guard.Serving() {
		err = model.ErrNotCaughtUp // some may be missing of what was read
	}
	return kept.list, kept.floor, err
}
