package system_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
	"versiond/test/harness/cluster"
	"versiond/wire"
)

// Where a process may open few files, clients that keep their connections must not keep all others out. If
// this fails, the node serves nobody for as long as they stay, and its log does not say why.
func TestIdleClientsLeaveRoomWhereFilesAreFew(t *testing.T) {
	q := onlyNode(t)
	p := q.runWithFewFiles()
	for i := range 300 {
		requireServed(t, q.nodes[0].public, i)
	}
	_, err := q.nodes[0].client.Add(t.Context(), record("served"))
	require.NoError(t, err)
	require.NoError(t, q.nodes[0].client.Ready(t.Context()))
	p.Stop()
	require.Contains(t, p.Log(), "this process may open too few files")
	require.Equal(t, 1, strings.Count(p.Log(), "idle longest"), "once in a while, not 300 times")
}

// Clients that gave up waiting must keep nobody out either, on neither port. If this fails, a few requests with a
// long timeout close a node to all others, and its supervisor kills it.
func TestClientsThatGaveUpLeaveRoomWhereFilesAreFew(t *testing.T) {
	q := onlyNode(t)
	p := q.runWithFewFiles()
	asker := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	query := string(wire.AppendQueries(nil, []model.Query{{ID: "x"}}))
	for before, each := range []struct {
		port    int
		request string
	}{
		{q.nodes[0].public, "GET /version" + answeredLate + "\r\n"},
		{q.nodes[0].peer, fmt.Sprintf("POST /read%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", answeredLate, peer.QueriesType, len(query), query)},
	} {
		cluster.Eventually(t, 10*time.Second, "a port that is full of them serves others", func() error {
			for range 8 {
				giveUp(t, each.port, each.request)
			}
			answer, err := asker.Get("http://" + address(each.port) + "/no/such/path")
			if err != nil {
				return err
			}
			if strings.Count(p.Log(), "stopped sending first") == before {
				err = errors.New("it is not full")
			}
			return errors.Join(err, answer.Body.Close())
		})
	}
}

// answeredLate is the rest of the first line of a request that is answered a minute later, and its Host.
const answeredLate = "?level=none&min_index=99999&timeout=60s HTTP/1.1\r\nHost: localhost\r\n"

// giveUp asks, and goes.
func giveUp(t *testing.T, port int, request string) {
	t.Helper()
	conn, err := net.Dial("tcp", address(port))
	require.NoError(t, err)
	_, err = conn.Write([]byte(request))
	require.NoError(t, errors.Join(err, conn.Close()))
}

func (q *quickStart) runWithFewFiles() *cluster.Process {
	q.t.Helper()
	p := cluster.NewProcess(q.t, "/bin/sh", []string{"-c", "ulimit -n 64; exec " + program}, q.env(), filepath.Join(q.dir, "few.log"))
	p.Start()
	q.waitReady(10 * time.Second)
	return p
}

// requireServed asks over a new connection, and keeps it.
func requireServed(t *testing.T, port, i int) {
	t.Helper()
	conn, err := net.Dial("tcp", address(port))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = fmt.Fprintf(conn, "GET /livez HTTP/1.1\r\nHost: %s\r\n\r\n", address(port))
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err, "client %d is kept out", i)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
}
