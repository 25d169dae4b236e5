package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"

	"versiond/naming"
)

// databaseNameMax is the most characters that MySQL allows in the name of a database.
const databaseNameMax = 64

// snapshotIntervalMin keeps a node from doing nothing but looking whether a snapshot is due.
const snapshotIntervalMin = 100 * time.Millisecond

// intervalMax is a year. What is much longer overflows where it is multiplied.
const intervalMax = 365 * 24 * time.Hour

// segmentBytesMin keeps each write from beginning a new file of the log, segmentBytesMax one file from filling a disk.
const segmentBytesMin, segmentBytesMax = 1 << 16, 1 << 30

// Validate reports every setting that is wrong, each with its key and a right value, joined into one
// error; nil when all are right. It looks at the values alone and opens nothing.
func (c Config) Validate() error {
	var p problems
	c.MySQL.check(&p, c.nodeIDs())
	c.Redis.check(&p)
	c.MemoryDB.check(&p)
	c.Server.check(&p)
	c.TLS.check(&p, c.Auth.Certificates)
	c.Raft.check(&p)
	c.Log.check(&p)
	c.Auth.check(&p)
	c.Cluster.check(&p, c.Auth.Tokens)
	if c.DataDir == "" {
		p.add("dataDir", "is empty")
	}
	checkPrintable(&p, "dataDir", c.DataDir)
	c.checkNodes(&p)
	c.checkExposed(&p)
	return errors.Join(p.errs...)
}

func (m MySQL) check(p *problems, nodeIDs []string) {
	if m.DSN == "" {
		return
	}
	// The parser's error may quote the part of the DSN that it stumbled over, so it is not passed on.
	parsed, err := mysql.ParseDSN(m.DSN.Reveal())
	if err != nil {
		p.add("mysql.dsn", "cannot be parsed (it is not shown, since it may hold a password)")
		return
	}
	if parsed.DBName == "" {
		p.add("mysql.dsn", "names no database after the last slash")
		return
	}
	checkPrintable(p, "mysql.dsn", parsed.DBName)
	longest := 0
	for _, id := range nodeIDs {
		longest = max(longest, len(id))
	}
	if total := utf8.RuneCountInString(parsed.DBName) + len("_") + longest; total > databaseNameMax {
		p.add("mysql.dsn", "names a database whose name makes %d characters with _ and the longest node id; MySQL allows %d", total, databaseNameMax)
	}
}

// check does not quote Addr: people put whole URLs there, password and all.
func (r Redis) check(p *problems) {
	if _, err := naming.ParseAddress(r.Addr); r.Addr != "" && err != nil {
		p.add("redis.addr", "%v", err)
	}
	if r.DB < 0 {
		p.add("redis.db", "is %d, which is below 0", r.DB)
	}
	if r.Username != "" && r.Password == "" {
		p.add("redis.password", "is empty, but redis.username is given")
	}
	if !r.TLS && (r.CAFile != "" || r.CertFile != "" || r.KeyFile != "") {
		p.add("redis.tls", "is false, but there are files for it")
	}
	if (r.CertFile == "") != (r.KeyFile == "") {
		p.add("redis.certFile", "and redis.keyFile belong together, and one of them is missing")
	}
}

func (m MemoryDB) check(p *problems) {
	if m.Capacity < 1 {
		p.add("memoryDB.capacity", "is %d; the cache has to hold at least 1 record", m.Capacity)
	}
	// Written so that NaN is wrong too.
	if !(m.EvictRatio > 0 && m.EvictRatio <= 1) {
		p.add("memoryDB.evictRatio", "is %v; it has to be above 0 and at most 1", m.EvictRatio)
	}
}

func (s Server) check(p *problems) {
	if s.ReloadInterval <= 0 {
		p.add("server.reloadInterval", "is %v; it has to be above 0", s.ReloadInterval)
	}
	if s.PeriodicDeleteInterval <= 0 {
		p.add("server.periodicDeleteInterval", "is %v; it has to be above 0", s.PeriodicDeleteInterval)
	}
	checkLongest(p, "server.reloadInterval", s.ReloadInterval)
	checkLongest(p, "server.periodicDeleteInterval", s.PeriodicDeleteInterval)
	if s.ExamineSize < 1 {
		p.add("server.examineSize", "is %d; it has to be at least 1", s.ExamineSize)
	}
	if s.Bind != "" && !naming.IsHost(s.Bind) {
		p.add("server.bind", "is %q; it has to be a host name or an IP address, without port or brackets", s.Bind)
	}
	for i, host := range s.TrustedHosts {
		if !naming.IsHost(host) {
			p.add(fmt.Sprintf("server.trustedHosts[%d]", i), "is %q; it has to be a host name, without scheme or port", host)
		}
	}
	for i, origin := range s.TrustedOrigins {
		if why := badOrigin(origin); why != "" {
			p.add(fmt.Sprintf("server.trustedOrigins[%d]", i), "is %q; %s", origin, why)
		}
	}
}

// checkLongest refuses an interval above intervalMax.
func checkLongest(p *problems, setting string, interval time.Duration) {
	if interval > intervalMax {
		p.add(setting, "is %v; it has to be at most %v", interval, intervalMax)
	}
}

func (r Raft) check(p *problems) {
	if r.SnapshotInterval < snapshotIntervalMin {
		p.add("raft.snapshotInterval", "is %v; it has to be at least %v", r.SnapshotInterval, snapshotIntervalMin)
	}
	checkLongest(p, "raft.snapshotInterval", r.SnapshotInterval)
	if r.SnapshotThreshold < 1 {
		p.add("raft.snapshotThreshold", "is %d; it has to be at least 1", r.SnapshotThreshold)
	}
	if r.TrailingLogs < 1 {
		p.add("raft.trailingLogs", "is %d; it has to be at least 1", r.TrailingLogs)
	}
	if r.SegmentBytes < segmentBytesMin || r.SegmentBytes > segmentBytesMax {
		p.add("raft.segmentBytes", "is %d; it has to be between %d and %d", r.SegmentBytes, segmentBytesMin, segmentBytesMax)
	}
}

func (l Log) check(p *problems) {
	p.oneOf("log.level", l.Level, "debug", "info", "warn", "error")
	p.oneOf("log.format", l.Format, "text", "json")
	if l.Audit && (l.Level == "warn" || l.Level == "error") {
		p.add("log.level", "is %q, which hides the lines of log.audit; it has to be info or debug", l.Level)
	}
}

// problems collects what is wrong with the settings.
type problems struct{ errs []error }

// add notes that the setting at key is wrong. The format goes on after the key.
func (p *problems) add(key, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: %s; a right value is %s", key, fmt.Sprintf(format, args...), exampleOf(key)))
}

func (p *problems) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.add(key, "is %q; it has to be one of %s", value, strings.Join(allowed, ", "))
	}
}

var listIndex = regexp.MustCompile(`\[\d+\]`)

// exampleOf returns a right value of the setting at key. Every element of a list has the same one.
func exampleOf(key string) string {
	settings := new(Config).settingsBy(func(s Setting) string { return s.Key })
	if s, found := settings[listIndex.ReplaceAllString(key, "[]")]; found {
		return s.Example
	}
	return settings[listIndex.ReplaceAllString(key, "")].Example
}
