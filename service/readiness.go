package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
)

const (
	// storeCheckTimeout bounds the question whether the store answers.
	storeCheckTimeout = time.Second
	// levelLag is how long entries may wait on a node that counts as level: under steady writes there are
	// always some, since a node on which nobody waits lets them gather.
	levelLag = time.Second
)

// Readiness gives every check, by name; the node is ready when all are OK.
func (s *VersionService) Readiness(ctx context.Context) []model.Check {
	return []model.Check{
		check("member", s.checkMember()),
		check("leader", s.checkLeader()),
		check("log", s.node.LogFailure()),
		check("store", s.checkStore(ctx)),
		check("applier", s.checkApplier()),
		check("voters", s.checkVoters()),
		s.contentCheck(),
	}
}

func check(name string, err error) model.Check {
	if err != nil {
		return model.Check{Name: name, Detail: err.Error()}
	}
	return model.Check{Name: name, OK: true}
}

func (s *VersionService) checkMember() error {
	if err := s.whyRemoved(); err != nil {
		return err
	}
	if !s.node.Running() {
		return fmt.Errorf("%w: it waits to be taken into a cluster", model.ErrNotCaughtUp)
	}
	return nil
}

func (s *VersionService) checkLeader() error {
	if id, _ := s.node.Leader(); id == "" {
		return errors.New("no leader is known")
	}
	return nil
}

func (s *VersionService) checkStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	if err := s.mysql.mysqlDao.Ping(ctx); err != nil {
		s.log.Debug("the store does not answer", "err", err)
		return model.ErrStoreUnavailable
	}
	return nil
}

// checkApplier is red until the store has been level with the cluster once, and when it falls far behind.
func (s *VersionService) checkApplier() error {
	applied, commit := s.node.AppliedIndex(), s.node.CommitIndex()
	switch {
	case !s.node.Serving():
		return fmt.Errorf("%w: its store is being brought to the cluster's state", model.ErrNotCaughtUp)
	case s.node.Stuck():
		return errors.New("nothing was applied for two seconds or more")
	case isLevel(applied, commit, s.node.Lag()):
		s.caughtUp.Store(true)
	}
	if !s.caughtUp.Load() || applied+farBehind < commit {
		return fmt.Errorf("%w: it has applied index %d of %d", model.ErrNotCaughtUp, applied, commit)
	}
	return nil
}

// isLevel says whether a store is level with the cluster, as far as one can be while writes go on.
func isLevel(applied, commit uint64, lag time.Duration) bool {
	return commit > 0 && (applied >= commit || lag < levelLag && applied+promoteLagMax >= commit)
}

// checkVoters keeps a new cluster from looking ready while one machine could still take it all away.
func (s *VersionService) checkVoters() error {
	founders := int(s.founders.Load())
	have, needed := voters(s.node.Members()), founders/2+1
	if founders == 0 || have >= needed {
		s.founders.Store(0)
		return nil
	}
	return fmt.Errorf("%d of the %d nodes that were there at the beginning have a vote, %d must", have, founders, needed)
}
