package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/controller"
	"versiond/raft/datadir"
	"versiond/test/harness/cluster"
)

// configured returns the defaults with nodes on free ports and a data directory of their own.
func configured(t *testing.T, nodes int) config.Config {
	t.Helper()
	cfg := config.GetConfig()
	cfg.DataDir = t.TempDir()
	cfg.Raft.Nodes = cfg.Raft.Nodes[:nodes]
	for i := range cfg.Raft.Nodes {
		cfg.Raft.Nodes[i].Address = cluster.FreeAddress(t)
		cfg.Raft.Nodes[i].Port = cluster.FreePort(t)
	}
	return cfg
}

// output is a writer that can be read while it is written to.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// started is startNodes at work.
type started struct {
	cancel context.CancelFunc
	anew   chan config.Config
	ended  chan error
	stdout output
	log    output
}

func start(t *testing.T, cfg config.Config) *started {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{cancel: cancel, anew: make(chan config.Config), ended: make(chan error, 1)}
	var wg sync.WaitGroup
	wg.Go(func() { s.ended <- startNodes(ctx, cfg, s.anew, slog.New(slog.NewTextHandler(&s.log, nil)), &s.stdout) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		if t.Failed() {
			t.Logf("the log of the nodes:\n%s", s.log.String())
		}
	})
	return s
}

// mustEnd returns how it ended, which it has to within the five seconds that a supervisor grants.
func (s *started) mustEnd(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(5 * time.Second):
		t.Fatal("the nodes did not end within 5 s")
		return nil
	}
}

func (s *started) mustStop(t *testing.T) {
	t.Helper()
	s.cancel()
	require.NoError(t, s.mustEnd(t))
}

// request returns status and body, status 0 when nobody answers.
func request(t *testing.T, method string, port int, path, body string) (status int, answer string) {
	t.Helper()
	url := fmt.Sprintf("http://127.0.0.1:%d%s", port, path)
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

func mustBeReady(t *testing.T, nodes []config.Node) {
	t.Helper()
	for _, n := range nodes {
		require.Eventually(t, func() bool {
			status, _ := request(t, http.MethodGet, n.Port, "/readyz", "")
			return status == http.StatusOK
		}, 20*time.Second, 20*time.Millisecond, "%s is not ready", n.ID)
	}
}

const sampleRecord = `{"id":"libstdc++6","versionNo":"12.2.0-14","platform":"linux/amd64"}`

// requireSample reads the sample record, on whichever node and after however many starts.
func requireSample(t *testing.T, port int) {
	t.Helper()
	status, body := request(t, http.MethodGet, port, "/version/libstdc++6", "")
	require.Equal(t, http.StatusOK, status, body)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, "12.2.0-14", got["versionNo"])
}

// The quick start: a node begins a cluster by itself, takes and returns records, stops when it is told
// to, and has everything when it is started again.
func TestOneNodeServesStopsAndStartsAgain(t *testing.T) {
	cfg := configured(t, 1)
	node := cfg.Raft.Nodes[0]
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	status, body := request(t, http.MethodPost, node.Port, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, body)
	requireSample(t, node.Port)
	require.Eventually(t, func() bool { return strings.Contains(s.stdout.String(), "curl") }, 5*time.Second, 10*time.Millisecond)
	require.Contains(t, s.stdout.String(), strconv.Itoa(node.Port))
	s.mustStop(t)
	status, _ = request(t, http.MethodGet, node.Port, "/livez", "")
	require.Zero(t, status, "the port is still served")

	again := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	requireSample(t, node.Port)
	status, _ = request(t, http.MethodPost, node.Port, "/version", sampleRecord)
	require.Equal(t, http.StatusConflict, status)
	again.mustStop(t)
}

// Three nodes in one process are the default. They must become one cluster, leave the processor to others while nothing is
// done, and all of them stop.
func TestThreeNodesInOneProcess(t *testing.T) {
	cfg := configured(t, 3)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	status, body := request(t, http.MethodPost, cfg.Raft.Nodes[2].Port, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, body)
	for _, n := range cfg.Raft.Nodes {
		requireSample(t, n.Port)
	}
	mustFollowSoon(t, cfg.Raft.Nodes)
	mustRest(t, 700)
	s.mustStop(t)
}

// A node that waits for others must stop as quickly as one that serves, and tell those who wait with it: a connection that just
// ends leaves a writer with an outcome that it does not know.
func TestWaitingNodeStops(t *testing.T) {
	cfg := configured(t, 3)
	cfg.OnlyNode = "node2"
	s := start(t, cfg)
	require.Eventually(t, func() bool {
		status, _ := request(t, http.MethodGet, cfg.Raft.Nodes[1].Port, "/livez", "")
		return status == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
	status, body := request(t, http.MethodGet, cfg.Raft.Nodes[1].Port, "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, status, body)
	waiting := postAndWait(t, cfg.Raft.Nodes[1].Port)
	s.mustStop(t)
	_, problem := mustReadProblem(t, waiting)
	require.Equal(t, "no_leader", problem.Code, problem.Detail)
	require.Empty(t, s.stdout.String(), "it greeted as if it were ready")
}

// mustReadProblem reads an answer that says what is wrong, and requires that its head says the same.
func mustReadProblem(t *testing.T, answers *bufio.Reader) (header http.Header, problem controller.Problem) {
	t.Helper()
	answer, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&problem))
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	require.Equal(t, answer.StatusCode, problem.Status)
	require.Equal(t, answer.Header.Get("X-Request-Id"), problem.RequestID)
	return answer.Header, problem
}

// postAndWait sends a record, and returns the connection once a handler has begun with it.
func postAndWait(t *testing.T, port int) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /version?timeout=30s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(sampleRecord))
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	asks, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	require.NoError(t, asks.Body.Close())
	require.Equal(t, http.StatusContinue, asks.StatusCode)
	_, err = io.WriteString(conn, sampleRecord)
	require.NoError(t, err)
	return answers
}

// A taken port is the commonest thing to go wrong. The error must name the port and the setting.
func TestTakenPort(t *testing.T) {
	for _, key := range []string{"raft.nodes[].port", "raft.nodes[].address"} {
		cfg := configured(t, 1)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		if key == "raft.nodes[].port" {
			cfg.Raft.Nodes[0].Port = listener.Addr().(*net.TCPAddr).Port
		} else {
			cfg.Raft.Nodes[0].Address = listener.Addr().String()
		}
		err = start(t, cfg).mustEnd(t)
		require.ErrorContains(t, err, "node1")
		require.ErrorContains(t, err, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
		require.ErrorContains(t, err, key)
		require.NoError(t, listener.Close())
	}
}

// A start that fails half-way must leave nothing behind: in a process with other nodes nothing else
// would ever give the ports and the directory back.
func TestFailedStartGivesBackWhatItTook(t *testing.T) {
	cfg := configured(t, 1)
	node := cfg.Raft.Nodes[0]
	inTheWay := filepath.Join(cfg.DataDir, node.ID, "raft.db")
	require.NoError(t, os.MkdirAll(inTheWay, 0o750))
	// A directory with a log but without identity.json is refused before anything is opened.
	require.Error(t, start(t, cfg).mustEnd(t))
	require.NoError(t, os.Remove(inTheWay))
	require.NoError(t, os.WriteFile(filepath.Join(cfg.DataDir, node.ID, "snapshots"), nil, 0o600))
	require.ErrorContains(t, start(t, cfg).mustEnd(t), "snapshots")
	for _, address := range []string{node.Address, "127.0.0.1:" + strconv.Itoa(node.Port)} {
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
	require.NoError(t, os.Remove(filepath.Join(cfg.DataDir, node.ID, "snapshots")))
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	s.mustStop(t)
}

// One data directory must have one process; the second one has to be told whose it is.
func TestDirectoryInUse(t *testing.T) {
	cfg := configured(t, 1)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	second := configured(t, 1)
	second.DataDir = cfg.DataDir
	require.ErrorContains(t, start(t, second).mustEnd(t), strconv.Itoa(os.Getpid()))
	s.mustStop(t)
}

// A node that cannot start must not take the others of its process with it; the process tells of it
// when it ends.
func TestOtherNodesGoOn(t *testing.T) {
	cfg := configured(t, 3)
	listener, err := net.Listen("tcp", cfg.Raft.Nodes[2].Address)
	require.NoError(t, err)
	defer listener.Close()
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes[:2])
	status, body := request(t, http.MethodPost, cfg.Raft.Nodes[1].Port, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, body)
	require.Eventually(t, func() bool { return strings.Contains(s.stdout.String(), "node2") }, 5*time.Second, 10*time.Millisecond)
	require.NotContains(t, s.stdout.String(), "node3", "the greeting names a node that does not run")
	s.cancel()
	require.ErrorContains(t, s.mustEnd(t), "node3")
}

// A leader whose directory was removed acknowledges into files that have no name. Within seconds another node must
// lead and the process go on without that one; its next start has everything again.
func TestNodeWhoseDirectoryIsRemovedEnds(t *testing.T) {
	cfg := configured(t, 3)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	lost, other := cfg.Raft.Nodes[0], cfg.Raft.Nodes[1]
	require.Eventually(t, func() bool {
		status, _ := request(t, http.MethodPost, other.Port, "/leader/"+lost.ID, "")
		return status == http.StatusOK
	}, 10*time.Second, 20*time.Millisecond)
	status, body := request(t, http.MethodPost, lost.Port, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, body)

	require.NoError(t, os.RemoveAll(filepath.Join(cfg.DataDir, lost.ID)))
	require.Eventually(t, func() bool {
		status, _ := request(t, http.MethodGet, lost.Port, "/livez", "")
		return status == 0
	}, 10*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { // an election that nobody has begun takes two seconds
		status, body := request(t, http.MethodGet, other.Port, "/leader", "")
		return status == http.StatusOK && !strings.Contains(body, lost.ID)
	}, time.Second, 10*time.Millisecond, "it did not hand over")
	status, body = request(t, http.MethodDelete, other.Port, "/version/libstdc++6", "")
	require.Equal(t, http.StatusNoContent, status, body)
	status, body = request(t, http.MethodPost, other.Port, "/version", sampleRecord)
	require.Equal(t, http.StatusCreated, status, body)
	s.cancel()
	err := s.mustEnd(t)
	require.ErrorIs(t, err, datadir.ErrLost)
	require.ErrorContains(t, err, "GET /peers")

	again := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	requireSample(t, lost.Port)
	again.mustStop(t)
}

// A member that is started with another cluster secret is one that does not answer, to everybody. Both sides must name
// the secret, the node itself in its readiness too, and not fill their logs with it.
func TestMemberWithAnotherClusterSecretSaysSo(t *testing.T) {
	cfg := configured(t, 3)
	cfg.Cluster.Secret = "the right one"
	runs := make([]*started, 3)
	for i := range runs {
		runs[i] = startOne(t, cfg, i)
	}
	mustBeReady(t, cfg.Raft.Nodes)
	runs[2].mustStop(t)
	cfg.Cluster.Secret = "the wrong one"
	wrong := startOne(t, cfg, 2)
	for look, said := range map[string]func() string{
		"its readiness": func() string {
			_, body := request(t, http.MethodGet, cfg.Raft.Nodes[2].Port, "/readyz", "")
			return body
		},
		"its log":    wrong.log.String,
		"their logs": func() string { return runs[0].log.String() + runs[1].log.String() },
	} {
		require.Eventually(t, func() bool { return strings.Contains(said(), "cluster.secret differ") }, 15*time.Second, 20*time.Millisecond, look)
	}
	require.Never(t, func() bool { return strings.Count(wrong.log.String(), "cluster.secret differ") > 1 }, 2500*time.Millisecond, 50*time.Millisecond)
	wrong.mustStop(t)
	require.NotContains(t, wrong.log.String(), "another node answers")
	require.NotContains(t, wrong.log.String()+runs[0].log.String()+runs[1].log.String(), "the wrong one")
}

func startOne(t *testing.T, cfg config.Config, i int) *started {
	t.Helper()
	cfg.OnlyNode = cfg.Raft.Nodes[i].ID
	return start(t, cfg)
}
