package servers

import (
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
)

// RequireEnv names the environment variable that, set to 1, makes a missing server fail a test
// instead of skipping it, so that no run can pass by leaving out what it was meant to test.
const RequireEnv = "VERSIOND_REQUIRE_SERVERS"

// MariaDB runs a MariaDB for one test and ends it with the test.
func MariaDB(t testing.TB) *SQLServer {
	t.Helper()
	server, err := StartMariaDB(tempDir(t))
	must(t, err)
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

// MySQL runs a MySQL for one test and ends it with the test.
func MySQL(t testing.TB) *SQLServer {
	t.Helper()
	server, err := StartMySQL(tempDir(t))
	must(t, err)
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

// Redis runs a Redis for one test and ends it with the test.
func Redis(t testing.TB) *RedisServer {
	t.Helper()
	server, err := StartRedis(tempDir(t))
	must(t, err)
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

// Shared holds servers that all tests of one test binary use, as starting them takes a second or
// two. A test takes a database or a key space of its own in them and does not stop them. TestMain
// makes a Shared and calls Close after the tests.
type Shared struct {
	// OnMariaDB makes SQL and SQLs return MariaDBs, which are MySQLs otherwise.
	OnMariaDB bool

	mu      sync.Mutex
	dirs    []string
	mariaDB *SQLServer
	mySQL   *SQLServer
	perNode []*SQLServer
	redis   *RedisServer
}

// MariaDB returns the shared MariaDB, which the first caller starts.
func (s *Shared) MariaDB(t testing.TB) *SQLServer {
	t.Helper()
	return s.one(t, &s.mariaDB, StartMariaDB)
}

// MySQL returns the shared MySQL, which the first caller starts.
func (s *Shared) MySQL(t testing.TB) *SQLServer {
	t.Helper()
	return s.one(t, &s.mySQL, StartMySQL)
}

func (s *Shared) one(t testing.TB, server **SQLServer, start func(dir string, settings ...string) (*SQLServer, error)) *SQLServer {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if *server == nil {
		started, err := start(s.newDir(t))
		must(t, err)
		*server = started
	}
	return *server
}

// SQL returns the shared MySQL or MariaDB, as OnMariaDB says, which the first caller starts.
func (s *Shared) SQL(t testing.TB) *SQLServer {
	t.Helper()
	if s.OnMariaDB {
		return s.MariaDB(t)
	}
	return s.MySQL(t)
}

// SQLs returns count servers, one for each node of a cluster. They are not the one that SQL returns.
// One that a test has killed or paused runs again.
func (s *Shared) SQLs(t testing.TB, count int) []*SQLServer {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	must(t, s.startMissing(t, count))
	for _, server := range s.perNode[:count] {
		must(t, server.revive())
	}
	return slices.Clone(s.perNode[:count])
}

// startMissing starts them side by side: each spends most of a second or two waiting for its disk.
func (s *Shared) startMissing(t testing.TB, count int) error {
	t.Helper()
	missing := max(0, count-len(s.perNode))
	started, errs := make([]*SQLServer, missing), make([]error, missing)
	var wg sync.WaitGroup
	for i := range missing {
		dir, start := s.newDir(t), StartMySQL
		if s.OnMariaDB {
			start = StartMariaDB
		}
		wg.Go(func() { started[i], errs[i] = start(dir) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, server := range started {
			if server != nil {
				err = errors.Join(err, server.Kill())
			}
		}
		return err
	}
	s.perNode = append(s.perNode, started...)
	return nil
}

// Redis returns the shared Redis, which the first caller starts.
func (s *Shared) Redis(t testing.TB) *RedisServer {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redis == nil {
		server, err := StartRedis(s.newDir(t))
		must(t, err)
		s.redis = server
	}
	return s.redis
}

// Close ends what was started and removes its files. It may be called when nothing was.
func (s *Shared) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, server := range append(s.perNode, s.mariaDB, s.mySQL) {
		if server != nil {
			errs = append(errs, server.Kill())
		}
	}
	if s.redis != nil {
		errs = append(errs, s.redis.Kill())
	}
	for _, dir := range s.dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	s.mariaDB, s.mySQL, s.perNode, s.redis, s.dirs = nil, nil, nil, nil, nil
	return errors.Join(errs...)
}

func (s *Shared) newDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vd")
	must(t, err)
	s.dirs = append(s.dirs, dir)
	return dir
}

// tempDir is short, unlike t.TempDir, and gone after the test.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vd")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	Need(t, err, ErrNotInstalled)
}

// Need ends a test that err stands in the way of. What is only missing on this machine, because err is
// the missing one, leaves the test out unless RequireEnv is set: only CI, make test and make test-all must have it all.
func Need(t testing.TB, err, missing error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, missing) && os.Getenv(RequireEnv) != "1":
		leaveOut(t, err)
	default:
		t.Fatal(err)
	}
}
