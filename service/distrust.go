package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/group"
	"versiond/model"
)

// How it was found that the store does not hold what the log makes.
const (
	foundAtStart   = "start"   // the rows against the checksum in the state row
	foundByReading = "reading" // all rows against the running checksum, the state row and the tables
	foundByRead    = "read"    // one row against the revision index, when a client wanted it
	foundByPeers   = "peers"   // the running checksum against that of a majority
)

const (
	handOverTries = 3
	handOverRetry = time.Second
	servingRetry  = 20 * time.Millisecond
)

// doubt is why this node's store cannot be believed.
type doubt struct {
	foundBy string
	err     error // matches model.ErrStoreDiffers
}

// distrust keeps readers from the store at once, and has it built anew. It returns at once and may be
// called from any goroutine. What was found in the store before it was last loaded is of no interest.
func (s *VersionService) distrust(gen uint64, foundBy string, err error) {
	if s.storeGen.Load() != gen || !s.doubt.CompareAndSwap(nil, &doubt{foundBy: foundBy, err: err}) {
		return
	}
	s.storeGen.Add(1) // reads under way do not count
	s.observer.Diverged(foundBy)
	s.log.Error("this node serves nothing from its store until it is built anew", "foundBy", foundBy, "err", err)
	select {
	case s.doubted <- struct{}{}:
	default:
	}
}

// distrustForm is for what a look at the state row and the tables met: what is missing is a difference too.
func (s *VersionService) distrustForm(gen uint64, err error) {
	switch {
	case errors.Is(err, model.ErrStoreDiffers):
		s.distrust(gen, foundByReading, err)
	case errors.Is(err, model.ErrNoState):
		s.distrust(gen, foundByReading, fmt.Errorf("%w: %w", model.ErrStoreDiffers, err))
	}
}

// distrustIfUnlike is for what a read met.
func (s *VersionService) distrustIfUnlike(gen uint64, err error) {
	if errors.Is(err, model.ErrStoreDiffers) {
		s.distrust(gen, foundByRead, err)
	}
}

// serving reports whether the store may be read: it is known to be ours, to be as far as the applied index
// says, and nothing speaks against what it holds.
func (s *VersionService) serving() bool { return s.doubt.Load() == nil && s.node.Serving() }

// contentCheck is red while the store is known to be wrong. That members differ and nobody knows who is
// right is told, and no reason to take all of them out of service.
func (s *VersionService) contentCheck() model.Check {
	c := check("content", s.checkContent())
	if detail := s.undecided.Load(); c.OK && detail != nil {
		c.Detail = *detail
	}
	return c
}

// checkContent says what is wrong with the store.
func (s *VersionService) checkContent() error {
	if d := s.doubt.Load(); d != nil {
		return d.err
	}
	return nil
}

// mendStore builds the store anew whenever it is distrusted, until the context ends.
func (s *VersionService) mendStore(ctx context.Context) {
	for {
		select {
		case <-s.doubted:
			s.mend(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *VersionService) mend(ctx context.Context) {
	s.leadElsewhere(ctx)
	if err := s.node.RebuildStore(ctx); err != nil {
		return // the node ends, and says why
	}
	if s.doubt.Load().foundBy == foundByPeers {
		s.awaitAgreement(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	s.doubt.Store(nil)
	s.tellServing(ctx)
}

// tellServing waits until the log is applied, and says so, unless the store is in doubt again before that.
func (s *VersionService) tellServing(ctx context.Context) {
	for !s.node.Serving() {
		if s.doubt.Load() != nil || !group.Pause(ctx, servingRetry) {
			return
		}
	}
	s.log.Info("the store was built anew from the snapshot and the log, and serves")
}

// leadElsewhere hands leadership over, if a voter is there that can take it: reads and writes then go on
// while this node's store is built anew.
func (s *VersionService) leadElsewhere(ctx context.Context) {
	for range handOverTries {
		if !s.node.IsLeader() {
			return
		}
		target, found := s.betterVoter(ctx, 0)
		if !found {
			return
		}
		err := s.node.TransferLeadership(ctx, target.ID, target.Address)
		if err == nil {
			return
		}
		s.calm.Warn("the leader's store is wrong, and handing over failed", "to", target.ID, "err", err)
		if !group.Pause(ctx, handOverRetry) {
			return
		}
	}
}
