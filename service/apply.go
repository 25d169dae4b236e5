package service

import (
	"context"

	"versiond/model"
	"versiond/raft"
)

var _ raft.VersionServiceInterface = (*VersionService)(nil)

// AddVersionInternal decides a create and stages its row.
func (s *VersionService) AddVersionInternal(c model.Command, revision uint64) model.Outcome {
	if current, exists := s.mysql.records.Staged(c.ID); exists {
		return model.Outcome{Code: model.OutcomeAlreadyExists, Revision: current}
	}
	s.mysql.AddVersionToMysql(s.mysql.ConvertToVersion(recordOf(c), revision))
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

// UpdateVersionInternal decides an update and stages its row.
func (s *VersionService) UpdateVersionInternal(c model.Command, revision uint64) model.Outcome {
	if refusal := s.refusal(c); refusal.Code != model.OutcomeDone {
		return refusal
	}
	s.mysql.UpdateVersion(s.mysql.ConvertToVersion(recordOf(c), revision))
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

// DeleteVersionInternal decides a delete and stages it.
func (s *VersionService) DeleteVersionInternal(c model.Command, revision uint64) model.Outcome {
	if refusal := s.refusal(c); refusal.Code != model.OutcomeDone {
		return refusal
	}
	s.mysql.DeleteVersion(c.ID)
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

// recordOf returns the record that a command writes.
func recordOf(c model.Command) model.VersionDB {
	return model.VersionDB{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform}
}

// refusal says why a change of an existing record cannot be, OutcomeDone when it can.
func (s *VersionService) refusal(c model.Command) model.Outcome {
	current, exists := s.mysql.records.Staged(c.ID)
	switch {
	case !exists:
		return model.Outcome{Code: model.OutcomeNotFound}
	case c.IfRevision != 0 && c.IfRevision != current:
		return model.Outcome{Code: model.OutcomeRevisionMismatch, Revision: current}
	}
	return model.Outcome{Code: model.OutcomeDone}
}

// BeginAtomicInternal notes what is staged from now on, until EndAtomicInternal.
func (s *VersionService) BeginAtomicInternal() { s.mysql.records.Begin() }

// EndAtomicInternal takes back what was staged since BeginAtomicInternal, unless all of it was done.
func (s *VersionService) EndAtomicInternal(done bool) { s.mysql.records.End(done) }

// RevisionInternal returns the revision of a record, with what is staged.
func (s *VersionService) RevisionInternal(id string) uint64 {
	revision, _ := s.mysql.records.Staged(id)
	return revision
}

// RecallInternal returns the outcome of an earlier request with the unit's key.
func (s *VersionService) RecallInternal(u *model.Unit, revision uint64) (outcome model.UnitOutcome, found bool) {
	return s.mysql.records.Recall(u, revision)
}

// RememberInternal stages what a unit with a key came to.
func (s *VersionService) RememberInternal(u *model.Unit, revision uint64, outcomes []model.Outcome) {
	s.mysql.records.Remember(u, revision, outcomes)
}

// ChecksumInternal returns the running checksum of all records and dedup records, with what is staged.
func (s *VersionService) ChecksumInternal() model.Checksum {
	return s.mysql.records.StagedSum().Checksum()
}

// CommitInternal writes the staged rows and the state row in one transaction.
func (s *VersionService) CommitInternal(ctx context.Context, store string, from, to model.Position) error {
	return s.mysql.commit(ctx, store, from, to)
}

// PublishInternal moves the revision index and MemoryDB on.
func (s *VersionService) PublishInternal() {
	for _, c := range s.mysql.publish() {
		switch {
		case c.Deleted:
			s.redis.DeleteVersion(c.ID)
		case c.Updated:
			s.redis.UpdateVersion(c.Version)
		default:
			s.redis.AddVersion(c.Version)
		}
	}
}

// DiscardInternal forgets what is staged.
func (s *VersionService) DiscardInternal() { s.mysql.records.Discard() }

// CacheInternal lets the published changes go to Redis. A node that has yet to catch up keeps them back until it has:
// other nodes may have brought newer ones there long ago.
func (s *VersionService) CacheInternal() {
	if s.level.reached.Load() {
		s.redis.Flush()
	}
}

// StateInternal reads the state row, and looks at the tables.
func (s *VersionService) StateInternal(ctx context.Context) (model.StoreState, error) {
	return s.mysql.state(ctx)
}

// TablesInternal names what stands where the tables should.
func (s *VersionService) TablesInternal(ctx context.Context) ([]string, error) {
	return s.mysql.mysqlDao.Standing(ctx)
}

// LoadInternal builds the revision index from the store. MemoryDB begins empty: what it held was
// judged by an index that is no more.
func (s *VersionService) LoadInternal(ctx context.Context, cluster string) error {
	s.trust.Replaced()
	s.redis.setCluster(cluster)
	s.redis.memory.Clear()
	err := s.mysql.load(ctx)
	s.trust.FoundAtStart(err)
	return err
}

// RestoreInternal replaces all records.
func (s *VersionService) RestoreInternal(ctx context.Context, identity model.Identity, at model.Position, source raft.Source) error {
	s.trust.Replaced()
	return s.mysql.restore(ctx, identity, at, source)
}

// OpenViewInternal opens a consistent view of the records, which is held against the running checksum.
func (s *VersionService) OpenViewInternal(ctx context.Context) (raft.StoreView, error) {
	return s.trust.OpenView(ctx, s.mysql.mysqlDao, s.mysql.records)
}
