package service

import (
	"context"
	"log/slog"

	"versiond/model"
	"versiond/raft"
	"versiond/service/changes"
	"versiond/service/integrity"
	"versiond/service/versions"
)

var _ raft.VersionServiceInterface = (*stateMachine)(nil)

// stateMachine is what Raft's applier drives, on its one goroutine: it decides commands, stages and stores what they
// change, and shows it to readers.
type stateMachine struct {
	mysql *VersionMysqlService
	redis *VersionRedisService
	trust *integrity.Trust
	level *level
	// candidates are what readers have asked for the newest of.
	candidates *versions.Cache
	// hub passes what is published on to watchers.
	hub *changes.Hub
}

func newStateMachine(mysql *VersionMysqlService, redis *VersionRedisService, watchersMax int, diverged func(foundBy string), log *slog.Logger) *stateMachine {
	return &stateMachine{mysql: mysql, redis: redis, trust: integrity.NewTrust(diverged, log), level: &level{}, candidates: versions.NewCache(), hub: changes.NewHub(watchersMax)}
}

// NewThrowawayService decides and stores commands without a Raft node, for a recovery that is offline.
// It does what the apply path of a node does, and has nothing else.
func NewThrowawayService(mysql *VersionMysqlService, redis *VersionRedisService, log *slog.Logger) raft.VersionServiceInterface {
	return newStateMachine(mysql, redis, 0, func(string) {}, log)
}

// PrepareInternal reads the details that updates leave as they are.
func (m *stateMachine) PrepareInternal(ctx context.Context, units [][]model.Unit) error {
	return m.mysql.learn(ctx, m.mysql.records.Unknown(units))
}

// AddVersionInternal decides a create and stages its row.
func (m *stateMachine) AddVersionInternal(c model.Command, revision uint64, origin *model.Origin) model.Outcome {
	if current, exists := m.mysql.records.Staged(c.ID); exists {
		return model.Outcome{Code: model.OutcomeAlreadyExists, Revision: current.Revision}
	}
	record := recordOf(c, nil)
	m.mysql.AddVersionToMysql(m.mysql.ConvertToVersion(record, revision), origin)
	return model.Outcome{Code: model.OutcomeDone, Revision: revision, Details: record.Details}
}

// UpdateVersionInternal decides an update and stages its row.
func (m *stateMachine) UpdateVersionInternal(c model.Command, revision uint64, origin *model.Origin) model.Outcome {
	if refusal := m.refusal(c); refusal.Code != model.OutcomeDone {
		return refusal
	}
	record := recordOf(c, m.mysql.records.Details(c.ID))
	m.mysql.UpdateVersion(m.mysql.ConvertToVersion(record, revision), origin)
	return model.Outcome{Code: model.OutcomeDone, Revision: revision, Details: record.Details}
}

// DeleteVersionInternal decides a delete and stages it.
func (m *stateMachine) DeleteVersionInternal(c model.Command, revision uint64, origin *model.Origin) model.Outcome {
	if refusal := m.refusal(c); refusal.Code != model.OutcomeDone {
		return refusal
	}
	m.mysql.DeleteVersion(c.ID, revision, origin)
	return model.Outcome{Code: model.OutcomeDone, Revision: revision}
}

// WatchedInternal reports whether anybody watches.
func (m *stateMachine) WatchedInternal() bool { return m.hub.Counts().Watchers > 0 }

// KeepChangesInternal stages that changes are kept from now on.
func (m *stateMachine) KeepChangesInternal(revision uint64) { m.mysql.records.KeepChanges(revision) }

// ChangesFromInternal returns the revision after which all changes are kept, as far as they are published.
func (m *stateMachine) ChangesFromInternal() uint64 { return m.mysql.changesFloor() }

// recordOf returns the record that a command writes, in the place of one with these details.
func recordOf(c model.Command, before *model.Details) model.VersionDB {
	return c.Record(before.Merge(c.Details, c.DetailNames), 0)
}

// refusal returns why a change of an existing record cannot be, OutcomeDone when it can.
func (m *stateMachine) refusal(c model.Command) model.Outcome {
	current, exists := m.mysql.records.Staged(c.ID)
	switch {
	case !exists:
		return model.Outcome{Code: model.OutcomeNotFound}
	case c.IfRevision != 0 && c.IfRevision != current.Revision:
		return model.Outcome{Code: model.OutcomeRevisionMismatch, Revision: current.Revision}
	}
	return model.Outcome{Code: model.OutcomeDone}
}

// BeginAtomicInternal notes what is staged from now on, until EndAtomicInternal.
func (m *stateMachine) BeginAtomicInternal() { m.mysql.records.Begin() }

// EndAtomicInternal takes back what was staged since BeginAtomicInternal, unless all of it was done.
func (m *stateMachine) EndAtomicInternal(done bool) { m.mysql.records.End(done) }

// RevisionInternal returns the revision of a record, with what is staged.
func (m *stateMachine) RevisionInternal(id string) uint64 {
	current, exists := m.mysql.records.Staged(id)
	if !exists {
		return 0
	}
	return current.Revision
}

// RecallInternal returns the outcome of an earlier request with the unit's key.
func (m *stateMachine) RecallInternal(u *model.Unit, revision uint64) (outcome model.UnitOutcome, found bool) {
	return m.mysql.records.Recall(u, revision)
}

// RememberInternal stages what a unit with a key came to.
func (m *stateMachine) RememberInternal(u *model.Unit, revision uint64, outcomes []model.Outcome) {
	m.mysql.records.Remember(u, revision, outcomes)
}

// ChecksumInternal returns the running checksum of all records, dedup records and changes, with what is staged.
func (m *stateMachine) ChecksumInternal() model.Checksum {
	return m.mysql.records.StagedSum().Checksum()
}

// CommitInternal writes the staged rows and the state row in one transaction.
func (m *stateMachine) CommitInternal(ctx context.Context, store string, from, to model.Position) error {
	return m.mysql.commit(ctx, store, from, to)
}

// PublishInternal moves the revision index and MemoryDB on, and tells watchers.
func (m *stateMachine) PublishInternal() {
	written, log := m.mysql.publish()
	for _, c := range written {
		m.candidates.Changed(c.ID, c.Platform, c.Deleted)
		switch {
		case c.Deleted:
			m.redis.DeleteVersion(c.ID)
		case c.Updated:
			m.redis.UpdateVersion(c.Version)
		default:
			m.redis.AddVersion(c.Version)
		}
	}
	m.hub.Publish(log, m.mysql.changesFloor())
}

// DiscardInternal forgets what is staged.
func (m *stateMachine) DiscardInternal() { m.mysql.records.Discard() }

// CacheInternal lets the published changes go to Redis. A node that has yet to catch up keeps them back until it has:
// other nodes may have brought newer ones there long ago.
func (m *stateMachine) CacheInternal() {
	if m.level.reached.Load() {
		m.redis.Flush()
	}
}

// StateInternal reads the state row, and looks at the tables.
func (m *stateMachine) StateInternal(ctx context.Context) (model.StoreState, error) {
	return m.mysql.state(ctx)
}

// TablesInternal returns the names of what stands where the tables should.
func (m *stateMachine) TablesInternal(ctx context.Context) ([]string, error) {
	return m.mysql.mysqlDao.Standing(ctx)
}

// LoadInternal builds the revision index from the store. MemoryDB begins empty: what it held was
// judged by an index that is no more.
func (m *stateMachine) LoadInternal(ctx context.Context, cluster string) error {
	m.trust.Replaced()
	m.redis.setCluster(cluster)
	m.redis.memory.Clear()
	m.candidates.Clear()
	m.hub.Reset(0, 0)
	err := m.mysql.load(ctx)
	if err == nil {
		m.candidates.Clear() // who asked meanwhile has seen what was loaded by then
		m.hub.Reset(m.mysql.changesFloor(), m.mysql.records.NewestChange())
	}
	m.trust.FoundAtStart(err)
	return err
}

// RestoreInternal replaces all records.
func (m *stateMachine) RestoreInternal(ctx context.Context, identity model.Identity, at model.Position, source raft.Source) error {
	m.trust.Replaced()
	m.hub.Reset(0, 0)
	return m.mysql.restore(ctx, identity, at, source)
}

// OpenViewInternal opens a consistent view of the records, which is held against the running checksum.
func (m *stateMachine) OpenViewInternal(ctx context.Context) (raft.StoreView, error) {
	return m.trust.OpenView(ctx, m.mysql.mysqlDao, m.mysql.records)
}
