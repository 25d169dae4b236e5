//go:build compose

package compose

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

const (
	project = "versiond-compose-test"
	// profiles has every container that docker-compose.yml may start.
	profiles = "node4"

	healthyTimeout = 2 * time.Minute
	pollInterval   = 500 * time.Millisecond
	logLines       = "80"
)

var nodes = []string{"node1", "node2", "node3"}

// stack is what docker-compose.yml describes, running with one set of settings.
type stack struct {
	t      *testing.T
	words  []string
	env    []string
	subnet string
	token  string
}

// newStack prepares containers with the settings of an env file's text, and with more compose files; nothing is left of them, nor
// of an earlier test that was killed.
func newStack(t *testing.T, image, settings string, more ...string) *stack {
	t.Helper()
	envFile := filepath.Join(t.TempDir(), "settings.env")
	require.NoError(t, os.WriteFile(envFile, []byte(settings), 0o600))
	words := append(composeWords(), "--project-name", project, "--env-file", envFile,
		"--file", "docker-compose.yml", "--file", "test/compose/subnet.yml")
	for _, file := range more {
		words = append(words, "--file", file)
	}
	s := &stack{t: t, words: words, env: append(surroundings(), "VERSIOND_IMAGE="+image), subnet: subnets[0]}
	s.remove()
	t.Cleanup(s.remove)
	t.Cleanup(s.printLogsOfFailure)
	return s
}

// surroundings is this process's environment without what would be settings of the containers.
func surroundings() []string {
	var kept []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		ours := strings.HasPrefix(name, "VERSIOND_") || strings.HasPrefix(name, "MYSQL_") || strings.HasPrefix(name, "REDIS_")
		if !ours && !strings.HasPrefix(name, "COMPOSE_") || name == "MYSQL_IMAGE" || name == "REDIS_IMAGE" {
			kept = append(kept, entry)
		}
	}
	return kept
}

func (s *stack) try(ctx context.Context, args ...string) (string, error) {
	return command{
		timeout: composeTimeout,
		dir:     root,
		env:     append(s.env, "COMPOSE_TEST_SUBNET="+s.subnet),
		args:    append(slices.Clone(s.words), args...),
	}.run(ctx)
}

// compose runs a command of Compose, which has to succeed.
func (s *stack) compose(args ...string) string {
	s.t.Helper()
	out, err := s.try(s.t.Context(), args...)
	require.NoError(s.t, err)
	return out
}

// up starts what is not running and waits until all three nodes are healthy.
func (s *stack) up() {
	s.t.Helper()
	s.compose("up", "-d")
	s.waitHealthy("mysql")
	s.grant()
	s.waitHealthy(nodes...)
}

// grant makes up for images that do not run the scripts of /docker-entrypoint-initdb.d; the official
// ones do. The nodes have to get on once they have their rights.
func (s *stack) grant() {
	s.t.Helper()
	grants := s.inMySQL(`mysql -h127.0.0.1 -uversiond -p"$MYSQL_PASSWORD" -N -e 'SHOW GRANTS'`)
	if strings.Contains(grants, "ALL PRIVILEGES ON `versions") {
		return
	}
	image := os.Getenv("MYSQL_IMAGE")
	require.NotEmpty(s.t, image, "the official image has not run docker/mysql/10-versiond.sql; the user has\n%s", grants)
	s.t.Logf("NOTE: %s does not run /docker-entrypoint-initdb.d, so the script there is run by hand", image)
	s.inMySQL(`mysql -uroot -p"$MYSQL_ROOT_PASSWORD" </docker-entrypoint-initdb.d/10-versiond.sql`)
}

func (s *stack) inMySQL(script string) string {
	s.t.Helper()
	return s.compose("exec", "-T", "mysql", "sh", "-c", script)
}

// down takes the containers away and leaves the volumes.
func (s *stack) down() {
	s.t.Helper()
	s.compose("--profile", profiles, "down")
}

// remove takes everything away, volumes too.
func (s *stack) remove() {
	s.t.Helper()
	_, err := s.try(context.WithoutCancel(s.t.Context()), "--profile", profiles, "down", "--volumes", "--remove-orphans", "--timeout", "5")
	require.NoError(s.t, err)
}

func (s *stack) printLogsOfFailure() {
	if !s.t.Failed() {
		return
	}
	logs, err := s.try(context.WithoutCancel(s.t.Context()), "--profile", profiles, "logs", "--no-color", "--tail", logLines)
	s.t.Logf("the containers' last lines (%v):\n%s", err, logs)
}

func (s *stack) waitHealthy(services ...string) {
	s.t.Helper()
	for _, service := range services {
		container := s.container(service)
		require.EventuallyWithT(s.t, func(c *assert.CollectT) {
			state, err := docker(s.t.Context(), "inspect", "--format", "{{.State.Health.Status}} {{json .State.Health.Log}}", container)
			require.NoError(c, err)
			status, probes, _ := strings.Cut(state, " ")
			require.Equal(c, "healthy", status, "%s: %s", service, probes)
		}, healthyTimeout, pollInterval)
	}
}

// state returns what docker inspect says of a service's container in this format.
func (s *stack) state(service, format string) string {
	s.t.Helper()
	state, err := docker(s.t.Context(), "inspect", "--format", format, s.container(service))
	require.NoError(s.t, err)
	return state
}

// container returns the id of a service's container.
func (s *stack) container(service string) string {
	s.t.Helper()
	id := s.compose("ps", "-q", service)
	require.NotEmpty(s.t, id, "%s has no container", service)
	return id
}

// addresses returns each node's IP.
func (s *stack) addresses() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	for _, node := range nodes {
		address, err := docker(s.t.Context(), "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", s.container(node))
		require.NoError(s.t, err)
		require.NotEmpty(s.t, address)
		found[node] = address
	}
	return found
}

// client asks a node at the port that this machine has for it.
func (s *stack) client(node string) *cluster.Client {
	var number int
	_, err := fmt.Sscanf(node, "node%d", &number)
	require.NoError(s.t, err)
	return cluster.NewClient(s.t, fmt.Sprintf("127.0.0.1:%d", 8080+number), "").As(s.token, "")
}
