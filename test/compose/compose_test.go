//go:build compose

package compose

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

const (
	records = 30
	// failoverTimeout is what may pass between the kill of the leader and the next write.
	failoverTimeout = 10 * time.Second
	// attemptTimeout bounds one write of those that look for the new leader.
	attemptTimeout = 2 * time.Second
	joinTimeout    = time.Minute
)

// subnets are taken in turn; nobody else is likely to use them.
var subnets = []string{"10.213.81.0/24", "10.213.82.0/24"}

func TestCompose(t *testing.T) {
	requireEngine(t)
	image := requireImage(t)
	t.Run("clean clone", func(t *testing.T) { testCleanClone(t, image) })
	t.Run(".env.example", func(t *testing.T) { testEnvExample(t, image) })
	t.Run("docker-compose.tls.yml", func(t *testing.T) { testTLS(t, image) })
}

// A clean clone has to come up with nothing edited, and to survive what happens to containers. The
// steps build on each other.
func testCleanClone(t *testing.T, image string) {
	s := newStack(t, image, "")
	s.requireNoWaitForMySQL()
	s.up()
	t.Log("three nodes are healthy")

	written := s.write("node1", "first", records)
	s.requireRecords(written, nodes...)
	t.Logf("%d records, written on node1, read on all nodes", records)

	written = append(written, s.surviveLeader()...)
	s.up()
	s.requireRecords(written, nodes...)

	s.moveSubnet()
	s.requireRecords(written, nodes...)
	t.Logf("all %d records are there", len(written))

	s.addFourth()
	written = append(written, s.write("node4", "fourth", records)...)
	s.requireRecords(written, append(slices.Clone(nodes), "node4")...)
	t.Logf("node4 is a voter, took %d records, and all nodes have all %d", records, len(written))
}

// requireNoWaitForMySQL starts everything for the first time. MySQL takes its time then, on a slow disk
// minutes: nodes that Compose holds back for it are not created at all when its patience ends.
func (s *stack) requireNoWaitForMySQL() {
	s.t.Helper()
	s.compose("up", "-d")
	require.Equal(s.t, "starting", s.state("mysql", "{{.State.Health.Status}}"), "Compose has waited for MySQL")
	for _, node := range nodes {
		require.Equal(s.t, "running", s.state(node, "{{.State.Status}}"), node)
	}
	for _, service := range append(slices.Clone(nodes), "mysql", "redis") {
		require.Contains(s.t, s.state(service, "{{json .HostConfig.LogConfig}}"), `"max-size":"10m"`, "the log of %s has no bound", service)
	}
}

// write adds records on a node and returns them as the node acknowledged them.
func (s *stack) write(node, name string, count int) []model.VersionDB {
	s.t.Helper()
	client := s.client(node)
	var acknowledged []model.VersionDB
	for i := range count {
		result, err := client.Add(s.t.Context(), record(name, i))
		require.NoError(s.t, err)
		acknowledged = append(acknowledged, result.Record)
	}
	return acknowledged
}

func record(name string, i int) model.VersionDB {
	return model.VersionDB{ID: fmt.Sprintf("%s-%03d", name, i), VersionNo: fmt.Sprintf("1.%d.0", i), Platform: "linux/amd64"}
}

// requireRecords lists the records on each node; other ones may be there too.
func (s *stack) requireRecords(want []model.VersionDB, on ...string) {
	s.t.Helper()
	for _, node := range on {
		have, err := s.client(node).List(s.t.Context(), model.ReadOptions{})
		require.NoError(s.t, err, node)
		require.Subset(s.t, have, want, node)
	}
}

// surviveLeader kills the leader's container and writes to the others, and returns what was acknowledged.
func (s *stack) surviveLeader() []model.VersionDB {
	s.t.Helper()
	leader, err := s.client(nodes[0]).Leader(s.t.Context())
	require.NoError(s.t, err)
	others := slices.DeleteFunc(slices.Clone(nodes), func(node string) bool { return node == leader.ID })
	start := time.Now()
	s.compose("kill", leader.ID)
	first := s.writeAgain(others, start.Add(failoverTimeout))
	s.t.Logf("docker-compose kill of %s, the leader; the next write after %s", leader.ID, time.Since(start).Round(time.Millisecond))
	written := append(s.write(others[1], "without-"+leader.ID, records), first)
	s.requireRecords(written, others...)
	return written
}

// writeAgain tries until a write is acknowledged, each time another one: an earlier one may come true.
func (s *stack) writeAgain(on []string, deadline time.Time) model.VersionDB {
	s.t.Helper()
	ctx, cancel := context.WithDeadline(s.t.Context(), deadline)
	defer cancel()
	var last error
	for i := 0; ctx.Err() == nil; i++ {
		attempt, stop := context.WithTimeout(ctx, attemptTimeout)
		result, err := s.client(on[i%len(on)]).Add(attempt, record("failover", i))
		stop()
		if err == nil {
			return result.Record
		}
		last = err
	}
	s.t.Fatalf("no write within %s of the kill: %v", failoverTimeout, last)
	return model.VersionDB{}
}

// moveSubnet takes all containers away and starts them anew at other addresses.
func (s *stack) moveSubnet() {
	s.t.Helper()
	before := s.addresses()
	s.down()
	s.subnet = subnets[1]
	s.up()
	after := s.addresses()
	for _, node := range nodes {
		require.NotEqual(s.t, before[node], after[node], "%s has to move for this test", node)
		s.t.Logf("docker-compose down and up: %s was %s and is %s", node, before[node], after[node])
	}
}

// addFourth starts node4 and has it joined.
func (s *stack) addFourth() {
	s.t.Helper()
	s.compose("up", "-d", "node4")
	client := s.client(nodes[0])
	require.EventuallyWithT(s.t, func(c *assert.CollectT) {
		member, err := client.Join(s.t.Context(), "node4", "node4:7000", true)
		require.NoError(c, err) // its port may not be open yet
		require.True(c, member.Voter, "it is a member and has to catch up: %+v", member)
	}, joinTimeout, pollInterval)
	s.waitHealthy("node4")
}

// The form that .env.example describes has to work with what is in it, once the secrets are replaced.
func testEnvExample(t *testing.T, image string) {
	settings, secrets := ownSecrets(t)
	s := newStack(t, image, settings)
	s.up()
	t.Log("three nodes are healthy with tokens, a cluster secret and own passwords")

	_, err := s.client("node1").Add(t.Context(), record("stranger", 0))
	require.Equal(t, "unauthorized", cluster.CodeOf(err), "%v", err)
	s.token = secrets["viewer"]
	_, err = s.client("node1").Add(t.Context(), record("viewer", 0))
	require.Equal(t, "forbidden", cluster.CodeOf(err), "%v", err)
	s.token = secrets["ci"]
	written := s.write("node2", "ci", records)
	_, err = s.client("node1").Transfer(t.Context(), "node2")
	require.Equal(t, "forbidden", cluster.CodeOf(err), "%v", err)
	s.token = secrets["ops"]
	_, err = s.client("node1").Transfer(t.Context(), "node2")
	require.NoError(t, err)
	s.token = secrets["viewer"]
	s.requireRecords(written, nodes...)
	t.Log("viewer reads, ci writes, ops hands leadership over; a stranger may do nothing")

	refused, err := s.try(t.Context(), "exec", "-T", "redis", "env", "REDISCLI_AUTH=", "redis-cli", "ping")
	require.Contains(t, fmt.Sprint(refused, err), "NOAUTH", "Redis has to ask for its password")
	_, err = s.try(t.Context(), "exec", "-T", "mysql", "mysql", "-h127.0.0.1", "-uversiond", "-pversiond", "-e", "SELECT 1")
	require.ErrorContains(t, err, "Access denied", "MySQL must not take the password of the open form")
	t.Log("Redis and MySQL want the passwords of the settings")
	_, password, _ := strings.Cut(settings, "\nREDIS_PASSWORD=")
	password, _, _ = strings.Cut(password, "\n")
	commandLine := s.compose("exec", "-T", "redis", "cat", "/proc/1/cmdline")
	require.Contains(t, commandLine, "redis-server")
	require.NotContains(t, commandLine, password, "everybody on the machine can read it")
}

// ownSecrets returns .env.example with a secret in every place, and the tokens' secrets by their names.
func ownSecrets(t *testing.T) (settings string, secrets map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".env.example"))
	require.NoError(t, err)
	settings = string(text)
	for strings.Contains(settings, "change-me") {
		settings = strings.Replace(settings, "change-me", rand.Text(), 1)
	}
	_, tokens, found := strings.Cut(settings, "\nVERSIOND_AUTH_TOKENS=")
	require.True(t, found)
	tokens, _, _ = strings.Cut(tokens, "\n")
	secrets = map[string]string{}
	for token := range strings.SplitSeq(tokens, ",") {
		fields := strings.SplitN(token, ":", 3)
		require.Len(t, fields, 3)
		secrets[fields[0]] = fields[2]
	}
	return settings, secrets
}
