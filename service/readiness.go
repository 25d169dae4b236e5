package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
)

// storeCheckTimeout bounds the question whether the store answers.
const storeCheckTimeout = time.Second

// Readiness gives every check, by name; the node is ready when all are OK.
func (s *VersionService) Readiness(ctx context.Context) []model.Check {
	return []model.Check{
		check("member", s.checkMember()),
		check("leader", s.checkLeader()),
		check("log", s.node.LogFailure()),
		check("store", s.checkStore(ctx)),
		check("applier", s.checkApplier()),
		check("voters", s.cluster.CheckVoters()),
		s.contentCheck(),
	}
}

// serving reports whether the store may be read.
func (s *VersionService) serving() bool { return s.guard.Serving() }

// contentCheck is red while the store is known to be wrong. That members differ and nobody knows who is
// right is told, and no reason to take all of them out of service.
func (s *VersionService) contentCheck() model.Check {
	c := check("content", s.trust.Err())
	if c.OK {
		c.Detail = s.trust.Conflict()
	}
	return c
}

func check(name string, err error) model.Check {
	if err != nil {
		return model.Check{Name: name, Detail: err.Error()}
	}
	return model.Check{Name: name, OK: true}
}

func (s *VersionService) checkMember() error {
	if err := s.cluster.Removed(); err != nil {
		return err
	}
	if !s.node.Running() {
		return fmt.Errorf("%w: it waits to be taken into a cluster", model.ErrNotCaughtUp)
	}
	return nil
}

func (s *VersionService) checkLeader() error {
	if id, _ := s.node.Leader(); id == "" {
		return s.nobodyKnown()
	}
	return nil
}

// nobodyKnown says that no leader is known, and why that may be.
func (s *VersionService) nobodyKnown() error {
	if err := s.node.SecretFailure(); err != nil {
		return fmt.Errorf("no leader is known: %w; give this node the cluster secret that the others have", err)
	}
	return errors.New("no leader is known")
}

func (s *VersionService) checkStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	err := s.storeAnswers(ctx)
	if err == nil {
		return nil
	}
	var answer *model.StoreError
	if errors.As(err, &answer) {
		return fmt.Errorf("%w (%s)", answer, s.node.Store())
	}
	s.log.Debug("the store is not ready", "err", err)
	for _, told := range []error{model.ErrStoreDiffers, model.ErrNoState} {
		if errors.Is(err, told) {
			return told
		}
	}
	return fmt.Errorf("%w (%s)", model.ErrStoreUnavailable, s.node.Store())
}

// storeAnswers returns what the applier met, if it met anything: a store that takes no writes may answer a
// question. Of a store that is in use the answer must be right.
func (s *VersionService) storeAnswers(ctx context.Context) error {
	if err := s.node.StoreFailure(); err != nil {
		return err
	}
	if err := s.node.HeldUp(); err != nil {
		return err
	}
	if !s.serving() {
		return s.mysql.mysqlDao.Ping(ctx)
	}
	_, err := s.mysql.mysqlDao.State(ctx)
	return err
}

// checkApplier is red until the store is level with the cluster, and when it falls far behind.
func (s *VersionService) checkApplier() error {
	applied, commit := s.node.AppliedIndex(), s.node.CommitIndex()
	switch {
	case !s.node.Serving():
		return fmt.Errorf("%w: its store is being brought to the cluster's state", model.ErrNotCaughtUp)
	case s.node.Stuck():
		return s.checkStuck()
	case applied+farBehind < commit:
		return fmt.Errorf("%w: it has applied index %d of %d", model.ErrNotCaughtUp, applied, commit)
	}
	return s.checkLevel()
}

func (s *VersionService) checkStuck() error {
	const what = "nothing was applied for two seconds or more"
	if err := s.node.HeldUp(); err != nil {
		return fmt.Errorf(what+": %w", err)
	}
	return errors.New(what + "; the store is at work on a large transaction")
}
