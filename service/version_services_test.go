package service

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/model"
	"versiond/raft"
	"versiond/service/state"
)

func version(id string, revision uint64) model.Version {
	return model.Version{ID: id, VersionNo: fmt.Sprintf("1.0.%d", revision), Platform: "linux", Revision: revision}
}

func markOfVersion(id string, revision uint64) state.Mark {
	v := version(id, revision)
	return state.MarkOf(&v)
}

// A service without what it needs must say so where it is made, not panic at the first request.
func TestConstructorsRefuseWhatIsMissing(t *testing.T) {
	_, err := NewVersionMysqlService(nil)
	require.ErrorContains(t, err, "dao")
	_, err = NewVersionRedisService(nil, nil, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "MemoryDB")

	mysqlService, redisService := mustServices(t, mustStore(t, t.TempDir()), nil)
	log, peers := slog.New(slog.DiscardHandler), newFakePeers()
	failing := failingInitializer{err: io.ErrUnexpectedEOF}
	for name, try := range map[string]func() (*VersionService, error){
		"database": func() (*VersionService, error) {
			return NewVersionService(Settings{Observer: unobserved{}}, nil, redisService, failing, peers, log)
		},
		"caches": func() (*VersionService, error) {
			return NewVersionService(Settings{Observer: unobserved{}}, mysqlService, nil, failing, peers, log)
		},
		"initializer": func() (*VersionService, error) {
			return NewVersionService(Settings{Observer: unobserved{}}, mysqlService, redisService, nil, peers, log)
		},
		"peers": func() (*VersionService, error) {
			return NewVersionService(Settings{Observer: unobserved{}}, mysqlService, redisService, failing, nil, log)
		},
		"log": func() (*VersionService, error) {
			return NewVersionService(Settings{Observer: unobserved{}}, mysqlService, redisService, failing, peers, nil)
		},
	} {
		s, err := try()
		require.Error(t, err, name)
		require.Nil(t, s, name)
	}
	_, err = NewVersionService(Settings{Observer: unobserved{}}, mysqlService, redisService, failing, peers, log)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "a Raft node that cannot be started must be told")
}

// failingInitializer is a Raft node that cannot be started.
type failingInitializer struct{ err error }

func (f failingInitializer) InitRaft(raft.VersionServiceInterface) (*raft.Node, error) {
	return nil, f.err
}

// A field that is lost between record and row is lost in the database of every node.
func TestConvertToVersion(t *testing.T) {
	mysqlService, _ := mustServices(t, mustStore(t, t.TempDir()), nil)
	given := model.VersionDB{ID: "a", VersionNo: "1", Platform: "linux", Revision: 5}
	require.Equal(t, model.Version{ID: "a", VersionNo: "1", Platform: "linux", Revision: 9}, mysqlService.ConvertToVersion(given, 9))
}

// The specified methods of the database's service must do what their names say, through a commit.
func TestMysqlServiceStagesAndReads(t *testing.T) {
	a := mustApplied(t)
	s := a.mysql
	commit := func() {
		to := model.Position{Index: a.at.Index + 1, Term: 1}
		require.NoError(t, a.CommitInternal(t.Context(), a.identity.Store, a.at, to))
		a.PublishInternal()
		a.at = to
	}
	s.AddVersionToMysql(version("a", 1), nil)
	s.AddVersionToMysql(version("b", 2), nil)
	_, err := s.GetVersionFromMysql(t.Context(), "a")
	require.ErrorIs(t, err, model.ErrNotFound, "it is staged, not written")
	commit()
	row, err := s.GetVersionFromMysql(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, version("a", 1), row)

	s.UpdateVersion(version("a", 3), nil)
	s.DeleteVersion("b", 4, nil)
	commit()
	row, err = s.GetVersionFromMysql(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, version("a", 3), row)
	revision, exists := s.VersionExists("a")
	require.True(t, exists)
	require.EqualValues(t, 3, revision)
	_, exists = s.VersionExists("b")
	require.False(t, exists)
	_, err = s.GetVersionFromMysql(t.Context(), "b")
	require.ErrorIs(t, err, model.ErrNotFound)
}

// The whole table must pass by in pages, or a large one is read into memory; and a caller that fails
// must end it.
func TestGetAllVersionsPages(t *testing.T) {
	a := mustApplied(t)
	const count = 2*storePageSize + 3
	var commands []model.Command
	for i := range count {
		commands = append(commands, add(fmt.Sprintf("id-%05d", i), "1"))
	}
	a.group(t, commands)
	var sizes []int
	last := ""
	view, err := a.OpenViewInternal(t.Context())
	require.NoError(t, err)
	require.NoError(t, a.mysql.GetAllVersions(t.Context(), view, func(page []model.Version) error {
		sizes = append(sizes, len(page))
		for _, v := range page {
			require.Greater(t, v.ID, last)
			last = v.ID
		}
		return nil
	}))
	require.Equal(t, []int{storePageSize, storePageSize, 3}, sizes)
	calls := 0
	err = a.mysql.GetAllVersions(t.Context(), view, func([]model.Version) error { calls++; return io.ErrUnexpectedEOF })
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, 1, calls)
	require.NoError(t, view.Close())
}

// The specified methods of the cache's service, against a real Redis. A value that reaches Redis late
// is no harm; one that never does leaves the cache useless.
func TestRedisServiceWritesAndJudges(t *testing.T) {
	redisDao := mustRedis(t)
	_, s := mustServices(t, mustStore(t, t.TempDir()), redisDao)
	s.setCluster("cluster1")
	go s.writer.run(t.Context())
	exists := func(versions ...model.Version) []bool {
		found, err := s.VersionExists(t.Context(), versions)
		require.NoError(t, err)
		return found
	}
	s.AddVersion(version("a", 1))
	s.AddVersion(version("b", 2))
	s.Flush()
	eventually(t, func() bool { return exists(version("a", 1))[0] && exists(version("b", 2))[0] })
	require.Equal(t, []bool{false, true, false}, exists(version("a", 9), version("b", 2), version("c", 3)))

	s.UpdateVersion(version("a", 3))
	s.DeleteVersion("b")
	s.Flush()
	eventually(t, func() bool { return exists(version("a", 3))[0] && !exists(version("b", 2))[0] })
	cached, err := redisDao.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, dao.CachedVersion{VersionDB: convertToRecord(version("a", 3)), Cluster: "cluster1"}, cached)

	for name, read := range map[string]func(state.Mark) (model.Version, bool){
		"memory": func(current state.Mark) (model.Version, bool) { return s.GetVersionByID(t.Context(), "a", current) },
		"redis": func(current state.Mark) (model.Version, bool) {
			s.memory.Clear()
			return s.GetVersionByID(t.Context(), "a", current)
		},
	} {
		v, ok := read(markOfVersion("a", 3))
		require.True(t, ok, name)
		require.Equal(t, version("a", 3), v, name)
		_, ok = read(markOfVersion("a", 2))
		require.False(t, ok, "%s: an older revision was asked for", name)
	}
	_, ok := s.GetVersionByID(t.Context(), "b", markOfVersion("b", 2))
	require.False(t, ok)
}

// Without a bound on what waits for Redis, one that is down makes the node grow until it is killed.
// An id that waits already must get its newest value all the same.
func TestWhatWaitsForRedisIsBounded(t *testing.T) {
	w := newRedisWriter(nil, slog.New(slog.DiscardHandler))
	for i := range redisPendingMax + 100 {
		w.set(dao.CachedVersion{VersionDB: model.VersionDB{ID: fmt.Sprint(i), Revision: 1}})
	}
	require.Len(t, w.pending, redisPendingMax)
	w.set(dao.CachedVersion{VersionDB: model.VersionDB{ID: "0", Revision: 2}})
	require.EqualValues(t, 2, w.pending["0"].Revision)
	w.remove("0")
	require.Nil(t, w.pending["0"])
	sets, removes := w.take()
	require.Equal(t, redisBatchMax, len(sets)+len(removes))
	require.Len(t, w.pending, redisPendingMax-redisBatchMax)
}

// A service without Redis must do all the same things with MemoryDB alone.
func TestWithoutRedis(t *testing.T) {
	_, s := mustServices(t, mustStore(t, t.TempDir()), nil)
	s.AddVersion(version("a", 1))
	s.Flush()
	v, ok := s.GetVersionByID(t.Context(), "a", markOfVersion("a", 1))
	require.True(t, ok)
	require.Equal(t, version("a", 1), v)
	s.DeleteVersion("a")
	_, ok = s.GetVersionByID(t.Context(), "a", markOfVersion("a", 1))
	require.False(t, ok)
	s.Run(within(t, 10*time.Millisecond), time.Millisecond, 1) // returns with its context
}
