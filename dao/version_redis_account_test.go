package dao_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/dao"
	"versiond/db"
	"versiond/test/harness/servers"
)

// requireAllWorks does everything that a node does with Redis.
func requireAllWorks(t *testing.T, d *dao.VersionRedisDao) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, d.Ping(ctx))
	require.NoError(t, d.SetMany(ctx, []dao.CachedVersion{cached("a", 1), cached("b", 2)}))
	got, err := d.Get(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, cached("a", 1), got)
	many, err := d.GetMany(ctx, []string{"a", "b"})
	require.NoError(t, err)
	require.Len(t, many, 2)
	require.Equal(t, []string{"a", "b"}, mustScan(t, d, []string{"a", "b"}))
	require.True(t, must(d.TryLock(ctx, "one", time.Minute))(t))
	require.False(t, must(d.TryLock(ctx, "two", time.Minute))(t))
	require.False(t, must(d.Unlock(ctx, "two"))(t))
	require.True(t, must(d.ExtendLock(ctx, "one", time.Hour))(t))
	require.True(t, must(d.Unlock(ctx, "one"))(t))
	require.NoError(t, d.DeleteMany(ctx, []string{"a", "b"}))
}

// documentedUser returns the arguments of ACL SETUSER that the manual says are enough.
func documentedUser(t *testing.T) []any {
	t.Helper()
	text, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^ACL SETUSER (.*)$`).FindStringSubmatch(string(text))
	require.NotNil(t, line, "the manual has no ACL line any more")
	args := []any{"ACL", "SETUSER"}
	for field := range strings.FieldsSeq(line[1]) {
		args = append(args, field)
	}
	return args
}

// The user that the manual describes must be able to do all that a node does, and to run no script: many
// accounts may not. If this fails, a node with such an account never mends Redis.
func TestRedisACLUserWithTheDocumentedRights(t *testing.T) {
	server, ctx := servers.Redis(t), t.Context()
	admin := mustOpenRedis(t, server.Addr).Client
	require.NoError(t, admin.Do(ctx, documentedUser(t)...).Err())
	require.NoError(t, admin.Do(ctx, "ACL", "SETUSER", "default", "off").Err())

	user := mustOpenAccount(t, db.RedisAccount{Addr: server.Addr, Username: "versiond", Password: "a-long-password", DB: 1})
	requireAllWorks(t, user)
	require.ErrorContains(t, user.Client.Eval(ctx, "return 1", nil).Err(), "NOPERM")
	require.ErrorContains(t, user.Client.Get(ctx, "others").Err(), "NOPERM")

	wrong := mustOpenAccount(t, db.RedisAccount{Addr: server.Addr, Username: "versiond", Password: "guessed"})
	require.ErrorContains(t, wrong.Ping(ctx), "WRONGPASS")
}

// A Redis that speaks TLS alone and asks for a certificate must be usable, and one that is not who it
// should be must not be believed.
func TestRedisOverTLS(t *testing.T) {
	server := servers.RedisTLS(t)
	account := db.RedisAccount{Addr: server.Addr, TLS: true, CAFile: server.CAFile, CertFile: server.CertFile, KeyFile: server.KeyFile}
	requireAllWorks(t, mustOpenAccount(t, account))

	stranger := account
	stranger.CAFile = "" // the authorities of this machine
	require.ErrorContains(t, mustOpenAccount(t, stranger).Ping(t.Context()), "certificate")
	unnamed := account
	unnamed.CertFile, unnamed.KeyFile = "", ""
	require.Error(t, mustOpenAccount(t, unnamed).Ping(t.Context()))

	broken := account
	broken.CAFile = server.KeyFile
	_, err := db.OpenRedis(broken)
	require.ErrorContains(t, err, "redis.caFile")
	broken = account
	broken.KeyFile += ".gone"
	_, err = db.OpenRedis(broken)
	require.ErrorContains(t, err, "redis.keyFile")
}
