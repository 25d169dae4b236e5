package service

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"versiond/dao"
	"versiond/model"
	"versiond/service/state"
)

// cacheReadTimeout bounds the wait for Redis on a read: the database answers in a few milliseconds.
const cacheReadTimeout = 100 * time.Millisecond

// VersionRedisService caches records: MemoryDB inside the process stands in front of Redis, which may
// be missing. Nothing it says counts unless it is the current row, so it may be late, flushed,
// shared with other nodes or full of old dumps.
type VersionRedisService struct {
	memory   *dao.MemoryDB
	redisDao *dao.VersionRedisDao // nil without Redis
	writer   *redisWriter         // nil without Redis
	cluster  atomic.Pointer[string]
	log      *slog.Logger

	memoryReads, redisReads tier
}

// NewVersionRedisService fails when it is given no MemoryDB. redisDao is nil when there is no Redis.
func NewVersionRedisService(memory *dao.MemoryDB, redisDao *dao.VersionRedisDao, log *slog.Logger) (*VersionRedisService, error) {
	if memory == nil {
		return nil, errors.New("the cache service needs a MemoryDB")
	}
	s := &VersionRedisService{memory: memory, redisDao: redisDao, log: log}
	if redisDao != nil {
		s.writer = newRedisWriter(redisDao, log)
	}
	return s, nil
}

// setCluster sets whose values count from now on.
func (s *VersionRedisService) setCluster(cluster string) { s.cluster.Store(&cluster) }

func (s *VersionRedisService) clusterID() string {
	if cluster := s.cluster.Load(); cluster != nil {
		return *cluster
	}
	return ""
}

// VersionExists reports, for each of the rows, whether Redis holds it just as it is.
func (s *VersionRedisService) VersionExists(ctx context.Context, versions []model.Version) ([]bool, error) {
	ids := make([]string, len(versions))
	for i := range versions {
		ids[i] = versions[i].ID
	}
	cached, err := s.redisDao.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	exists := make([]bool, len(versions))
	for i, v := range versions {
		c, ok := cached[v.ID]
		exists[i] = ok && s.isCopy(c, state.MarkOf(&v))
	}
	return exists, nil
}

// AddVersion caches a new record. Redis gets it with the next Flush.
func (s *VersionRedisService) AddVersion(v model.Version) {
	s.memory.Put(v)
	if s.writer != nil {
		s.writer.set(s.cachedVersion(v))
	}
}

// UpdateVersion caches a record's new content. Redis gets it with the next Flush.
func (s *VersionRedisService) UpdateVersion(v model.Version) { s.AddVersion(v) }

// DeleteVersion forgets a record.
func (s *VersionRedisService) DeleteVersion(id string) {
	s.memory.Delete(id)
	if s.writer != nil {
		s.writer.remove(id)
	}
}

// Flush lets what was cached go to Redis. It does not wait.
func (s *VersionRedisService) Flush() {
	if s.writer != nil {
		s.writer.wake.Set()
	}
}

// GetVersionByID returns the current row of an id, if a cache has it. A Redis that fails is a miss: the
// database has everything.
func (s *VersionRedisService) GetVersionByID(ctx context.Context, id string, current state.Mark) (model.Version, bool) {
	v, ok := s.fromMemory(id, current)
	s.memoryReads.count(ok)
	if ok {
		return v, true
	}
	if s.redisDao == nil || s.writer.failing() {
		return model.Version{}, false
	}
	v, ok = s.fromRedis(ctx, id, current)
	if s.redisReads.count(ok); ok {
		s.memory.Put(v)
	}
	return v, ok
}

// fromMemory returns the current row of an id, if MemoryDB has it.
func (s *VersionRedisService) fromMemory(id string, current state.Mark) (model.Version, bool) {
	v, ok := s.memory.Get(id)
	return v, ok && v.Revision == current.Revision
}

func (s *VersionRedisService) fromRedis(ctx context.Context, id string, current state.Mark) (model.Version, bool) {
	ctx, cancel := context.WithTimeout(ctx, cacheReadTimeout)
	defer cancel()
	c, err := s.redisDao.Get(ctx, id)
	if err != nil || c.ID != id || !s.isCopy(c, current) {
		return model.Version{}, false
	}
	return model.Version(c.VersionDB), true
}

// isCopy reports whether a cached value is of the row that this node has a mark of, in this node's cluster.
func (s *VersionRedisService) isCopy(c dao.CachedVersion, current state.Mark) bool {
	v := model.Version(c.VersionDB)
	return state.MarkOf(&v) == current && c.Cluster == s.clusterID()
}

func (s *VersionRedisService) cachedVersion(v model.Version) dao.CachedVersion {
	return dao.CachedVersion{VersionDB: convertToRecord(v), Cluster: s.clusterID()}
}

// Run keeps the caches in order until the context ends: it expires what nobody reads, and writes to
// Redis.
func (s *VersionRedisService) Run(ctx context.Context, deleteInterval time.Duration, examineSize int) {
	if s.writer != nil {
		done := make(chan struct{})
		go func() { defer close(done); s.writer.run(ctx) }()
		defer func() { <-done }()
	}
	s.memory.Run(ctx, deleteInterval, examineSize)
}
