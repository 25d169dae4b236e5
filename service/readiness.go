package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
	"versiond/raft"
	"versiond/service/cluster"
)

// storeCheckTimeout bounds the question whether the store answers.
const storeCheckTimeout = time.Second

// Readiness returns every check, by name; the node is ready when all are OK.
func (s *VersionService) Readiness(ctx context.Context) []model.Check {
	r := readiness{s}
	return []model.Check{
		check("member", r.member()),
		check("leader", r.leader()),
		check("log", r.node.LogFailure()),
		check("store", r.store(ctx)),
		check("applier", r.applier()),
		check("voters", r.cluster.CheckVoters()),
		r.content(),
	}
}

// readiness looks at a node. What a check looks at is its owner's to know.
type readiness struct{ *VersionService }

// content is red while the store is known to be wrong. That members differ and nobody knows who is
// right is told, and no reason to take all of them out of service.
func (r readiness) content() model.Check {
	c := check("content", r.guard.Err())
	if c.OK {
		c.Detail = r.guard.Conflict()
	}
	return c
}

func check(name string, err error) model.Check {
	if err != nil {
		return model.Check{Name: name, Detail: err.Error()}
	}
	return model.Check{Name: name, OK: true}
}

func (r readiness) member() error {
	if err := r.cluster.Removed(); err != nil {
		return err
	}
	if !r.node.Running() {
		return fmt.Errorf("%w: it waits to be taken into a cluster", model.ErrNotCaughtUp)
	}
	return nil
}

func (r readiness) leader() error {
	if id, _ := r.node.Leader(); id == "" {
		return r.nobodyKnown()
	}
	return nil
}

// nobodyKnown returns an error that says why no leader may be known.
func (r readiness) nobodyKnown() error {
	switch err := r.node.Distrust(); {
	case errors.Is(err, model.ErrSecretsDiffer):
		return fmt.Errorf("no leader is known: %w; give this node the cluster secret that the others have", err)
	case err != nil:
		return fmt.Errorf("no leader is known: %w; see cluster.certFile and cluster.caFile of this node and the others", err)
	}
	return errors.New("no leader is known")
}

func (r readiness) store(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	err := r.storeAnswers(ctx)
	if err == nil {
		return nil
	}
	var answer *model.StoreError
	if errors.As(err, &answer) {
		return fmt.Errorf("%w (%s)", answer, r.node.Store())
	}
	r.log.Debug("the store is not ready", "err", err)
	for _, told := range []error{model.ErrStoreDiffers, model.ErrNoState} {
		if errors.Is(err, told) {
			return told
		}
	}
	return fmt.Errorf("%w (%s)", model.ErrStoreUnavailable, r.node.Store())
}

// storeAnswers returns what the applier met, if it met anything: a store that takes no writes may answer a
// question. Of a store that is in use the answer must be right.
func (r readiness) storeAnswers(ctx context.Context) error {
	if err := r.node.StoreFailure(); err != nil {
		return err
	}
	if err := r.node.HeldUp(); err != nil {
		return err
	}
	if !r.guard.Serving() {
		return r.mysql.mysqlDao.Ping(ctx)
	}
	_, err := r.mysql.mysqlDao.State(ctx)
	return err
}

// applier is red until the store is level with the cluster, and when it falls far behind.
func (r readiness) applier() error {
	applied, commit := r.node.AppliedIndex(), r.node.CommitIndex()
	switch {
	case !r.node.Serving():
		return fmt.Errorf("%w: its store is being brought to the cluster's state", model.ErrNotCaughtUp)
	case r.node.Stuck():
		return r.stuck()
	case applied+cluster.FarBehind < commit:
		return fmt.Errorf("%w: it has applied index %d of %d", model.ErrNotCaughtUp, applied, commit)
	}
	return r.level.check(applied)
}

func (r readiness) stuck() error {
	if err := r.node.HeldUp(); err != nil {
		return fmt.Errorf("nothing was applied for %s or more: %w", raft.StuckAfter, err)
	}
	return fmt.Errorf("nothing was applied for %s or more; the store is at work on a large transaction", raft.StuckAfter)
}
