package system_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/cluster"
)

const (
	idleClients = 5000
	slowClients = 100
	// floodClients write at once, on connections of their own: more than ten times what may wait and be on its
	// way in the time that a leader takes to be missed.
	floodClients = 3000
	// memoryMax is what a node may use beyond what it used before, whatever its clients do.
	memoryMax = 384 << 20
)

// mustStartShipped starts a cluster of the program as it ships: the race detector would be what fills memory.
func mustStartShipped(t *testing.T) *cluster.Cluster {
	t.Helper()
	program, err := cluster.BuildAsShipped(programs)
	require.NoError(t, err)
	return cluster.Start(t, cluster.Config{Program: program})
}

// Clients that hold a node's connections, dribble into them or read nothing must cost the others nothing.
// If this fails, one careless or ill-meaning client takes a node away from everybody.
func TestIdleAndSlowClientsCostNothing(t *testing.T) {
	c := mustStartShipped(t)
	n := c.Followers()[0]
	mustAddMany(t, n, "slow", 200)
	before := n.ResidentBytes()
	var crowd crowd
	defer crowd.close()
	crowd.idle(t, n, idleClients)
	held := n.ResidentBytes()
	for range slowClients {
		crowd.dribble(t, n.Port, "GET /version/slow-0001 HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		crowd.dribble(t, n.Port, "POST /version HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
		crowd.ignore(t, n.Port, "GET /version?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n", 50)
		crowd.ignore(t, n.Port, "GET /backup HTTP/1.1\r\nHost: x\r\n\r\n", 1)
		crowd.dribble(t, peerPort(t, n), "POST /command HTTP/1.1\r\n")
		crowd.dribble(t, peerPort(t, n), "\x01\x00")
	}
	results := serveHealthyClient(t, n, 8*time.Second)
	during := n.ResidentBytes()
	t.Logf("memory: %d MiB, with %d idle connections %d MiB, with slow ones %d MiB; %s", before>>20, idleClients, held>>20, during>>20, results)
	results.require(t)
	require.Less(t, during-before, int64(memoryMax))
	c.RequireEqualStores()
}

// More writes than a cluster can take must be refused at once and take no memory; what was
// acknowledged meanwhile is there, and afterwards everything is as before. If this fails, a burst of
// writes ends nodes, one after the other.
func TestFloodOfWritesIsRefused(t *testing.T) {
	c := mustStartShipped(t)
	n := c.Followers()[0]
	mustAdd(t, n, "before")
	before := n.ResidentBytes()
	var memory []int64
	for wave := range 4 {
		leader := c.Leader()
		if leader == n {
			n = c.Followers()[0]
		}
		leader.Pause() // from now on writes wait
		flood := sendFlood(t, n, wave)
		flood.await(t, n)
		memory = append(memory, n.ResidentBytes())
		leader.Resume()
		c.WaitReady()
		mustRead := mustGetRecord(t, n, "before")
		require.Equal(t, "1.0.0", mustRead.Record.VersionNo)
	}
	t.Logf("memory after each wave in MiB: %v", mebibytes(memory))
	for _, after := range memory {
		require.Less(t, after-before, int64(memoryMax))
	}
	c.RequireEqualStores()
}

func mebibytes(sizes []int64) (in []int64) {
	for _, size := range sizes {
		in = append(in, size>>20)
	}
	return in
}

func mustGetRecord(t *testing.T, n *cluster.Node, id string) (result model.Result) {
	t.Helper()
	cluster.Eventually(t, 20*time.Second, "a read after the flood", func() (err error) {
		result, err = n.Client.Get(t.Context(), id, model.ReadOptions{Level: model.LevelLinearizable})
		return err
	})
	return result
}

func peerPort(t *testing.T, n *cluster.Node) int {
	t.Helper()
	_, port, err := net.SplitHostPort(n.Address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return number
}

// crowd is clients that nobody wants.
type crowd struct {
	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func (c *crowd) dial(t *testing.T, port int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	require.NoError(t, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	return conn
}

func (c *crowd) close() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.wg.Wait()
}

// idle opens connections that ask once and then keep silent.
func (c *crowd) idle(t *testing.T, n *cluster.Node, count int) {
	t.Helper()
	for range count {
		conn := c.dial(t, n.Port)
		_, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
	}
}

// dribble sends what begins a request, and then a byte a second until it is cut off.
func (c *crowd) dribble(t *testing.T, port int, beginning string) {
	t.Helper()
	conn := c.dial(t, port)
	c.wg.Go(func() {
		_, err := io.WriteString(conn, beginning)
		for err == nil {
			time.Sleep(time.Second)
			_, err = conn.Write([]byte(" "))
		}
	})
}

// ignore sends requests and reads no answer.
func (c *crowd) ignore(t *testing.T, port int, request string, count int) {
	t.Helper()
	conn := c.dial(t, port)
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	c.wg.Go(func() {
		for range count {
			if _, err := io.WriteString(conn, request); err != nil {
				return
			}
		}
	})
}

// healthy is what a client saw that asks one thing after the other.
type healthy struct {
	asked, failed int
	slowest       time.Duration
	last          error
}

func (h healthy) String() string {
	return fmt.Sprintf("of %d requests of a healthy client %d failed, the slowest took %s, last error %v", h.asked, h.failed, h.slowest.Round(time.Millisecond), h.last)
}

func (h healthy) require(t *testing.T) {
	t.Helper()
	require.Greater(t, h.asked, 20)
	require.LessOrEqual(t, h.failed*20, h.asked, "more than one in twenty failed: %v", h.last)
	require.Less(t, h.slowest, 5*time.Second)
}

// serveHealthyClient writes and reads on a node for a while.
func serveHealthyClient(t *testing.T, n *cluster.Node, during time.Duration) (h healthy) {
	t.Helper()
	for end := time.Now().Add(during); time.Now().Before(end); h.asked += 2 {
		began := time.Now()
		_, errWrite := n.Client.Add(t.Context(), record(fmt.Sprintf("healthy-%d", h.asked)))
		_, errRead := n.Client.Get(t.Context(), "slow-0001", model.ReadOptions{Level: model.LevelLinearizable})
		for _, err := range []error{errWrite, errRead} {
			if err != nil {
				h.failed, h.last = h.failed+1, err
			}
		}
		h.slowest = max(h.slowest, time.Since(began))
	}
	return h
}

// flood is many writes at once and how they were answered.
type flood struct {
	answers chan int // statuses, 0 for none
	node    *cluster.Node
}

func sendFlood(t *testing.T, n *cluster.Node, wave int) *flood {
	t.Helper()
	conns := make([]net.Conn, floodClients)
	var crowd crowd
	for i := range conns {
		conns[i] = crowd.dial(t, n.Port)
	}
	f := &flood{answers: make(chan int, floodClients), node: n}
	for i, conn := range conns {
		body := fmt.Sprintf(`{"id":"flood-%d-%d","versionNo":"1","platform":"linux"}`, wave, i)
		_, err := fmt.Fprintf(conn, "POST /version?timeout=3s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		require.NoError(t, err)
	}
	for _, conn := range conns {
		go func() { f.answers <- statusOf(conn) }()
	}
	return f
}

func statusOf(conn net.Conn) int {
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	if answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
		return 0
	}
	return answer.StatusCode
}

// await collects all answers. Each has to be one that says what happened, and many have to be 429.
func (f *flood) await(t *testing.T, n *cluster.Node) {
	t.Helper()
	statuses := map[int]int{}
	for range floodClients {
		statuses[<-f.answers]++
	}
	t.Logf("answers to %d writes at once on %s: %v", floodClients, n.ID, statuses)
	require.Zero(t, statuses[0], "no answer, or 429 without Retry-After")
	require.Greater(t, statuses[http.StatusTooManyRequests], floodClients/10)
	require.Zero(t, statuses[http.StatusInternalServerError])
}
