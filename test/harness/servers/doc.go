// Package servers starts throwaway MySQL, MariaDB and Redis servers, and proxies, on free local ports, so that tests
// and benchmarks run against the real programs instead of imitations.
//
// StartMySQL, StartMariaDB and StartRedis return errors and serve programs that are no tests. MySQL, MariaDB, Redis and
// the Shared variants are thin wrappers for tests. A server ends with the process that started it,
// also when that process is killed (Linux).
package servers
