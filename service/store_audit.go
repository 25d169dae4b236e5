package service

import (
	"context"
	"time"
)

// storeAuditInterval is how soon a node on which nothing is written notices that its database is not
// what it left: one that lost its last commits in a crash, or was put back from a copy. A node with
// writes notices at the next one. What is missing altogether, the reload finds.
const storeAuditInterval = 2 * time.Second

// auditStore looks at the state row from time to time. It is no part of the applier, which must not be
// held up by a store for which it has nothing.
func (s *VersionService) auditStore(ctx context.Context) {
	ticker := time.NewTicker(storeAuditInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if s.node.Serving() && s.storeLooksWrong(ctx) {
			s.node.VerifyStore()
		}
	}
}

func (s *VersionService) storeLooksWrong(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	before := s.node.StoredIndex() // the applier may go on meanwhile, but never back
	state, err := s.mysql.mysqlDao.State(ctx)
	return err == nil && (state.Identity != s.node.Identity() || state.Applied.Index < before)
}
