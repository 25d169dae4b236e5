package service

import (
	"context"
	"time"

	"versiond/model"
)

// storeAuditInterval is how soon a node on which nothing is written notices that its database is not
// what it left: one that lost its last commits in a crash, was put back from a copy, or has other tables. A node
// with writes notices at the next one. What became of the rows, the reload finds.
const storeAuditInterval = 2 * time.Second

// suspicionPause is how long no read can have all rows read again: one that was unlucky finds nothing wrong, and it
// costs as much as a reload.
const suspicionPause = 30 * time.Second

// auditStore looks at the state row and the tables from time to time. It is no part of the applier, which must not be
// held up by a store for which it has nothing.
func (s *VersionService) auditStore(ctx context.Context) {
	ticker := time.NewTicker(storeAuditInterval)
	defer ticker.Stop()
	var next time.Time // when a suspicion counts again
	for {
		select {
		case <-ticker.C:
			s.lookAtStore(ctx)
		case <-s.suspected:
			if !time.Now().Before(next) {
				s.readStore(ctx)
				next = time.Now().Add(suspicionPause)
			}
		case <-ctx.Done():
			return
		}
	}
}

// suspect has all rows read soon, and not only with the next reload.
func (s *VersionService) suspect() {
	select {
	case s.suspected <- struct{}{}:
	default:
	}
}

// readStore sees whether the rows are what the log makes.
func (s *VersionService) readStore(ctx context.Context) {
	if !s.serving() {
		return
	}
	if err := s.checkRows(ctx, func(context.Context, []model.Version) {}); err != nil {
		s.log.Debug("the rows cannot be read", "err", err)
	}
}

// lookAtStore has a store that went back looked at by the applier, which may find that the log has what it
// lacks. What somebody else has made of the state row or the tables is not to be used at all.
func (s *VersionService) lookAtStore(ctx context.Context) {
	if !s.serving() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	gen, before := s.storeGen.Load(), s.node.StoredIndex() // the applier may go on meanwhile, but never back
	state, err := s.StateInternal(ctx)
	s.distrustForm(gen, err)
	if err == nil && (state.Identity != s.node.Identity() || state.Applied.Index < before) {
		s.node.VerifyStore()
	}
}
