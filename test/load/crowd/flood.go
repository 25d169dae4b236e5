package crowd

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// answerTimeout is longer than a node takes for what it does not refuse.
const answerTimeout = 20 * time.Second

// Answers counts how requests were answered, by status; 0 is no answer, or 429 without Retry-After.
type Answers map[int]int

// Flood sends this many updates at once, each on a connection of its own, and waits for all answers. They
// update records that do not exist, and so leave nothing behind.
func Flood(t testing.TB, n *cluster.Node, count int) Answers {
	t.Helper()
	conns := make([]net.Conn, count)
	for i := range conns {
		var err error
		conns[i], err = n.DialPublicPort(t.Context())
		require.NoError(t, err)
	}
	statuses := make(chan int, count)
	for i, conn := range conns {
		const body = `{"versionNo":"1","platform":"linux"}`
		_, err := fmt.Fprintf(conn, "PUT /version/nobody-%d?timeout=3s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body)
		require.NoError(t, err)
	}
	for _, conn := range conns {
		go func() { statuses <- statusOf(conn) }()
	}
	answers := Answers{}
	for range count {
		answers[<-statuses]++
	}
	t.Logf("answers to %d writes at once on %s: %v", count, n.ID, answers)
	return answers
}

// Require requires that every request was told what became of it, and many that there are too many.
func (a Answers) Require(t testing.TB) {
	t.Helper()
	total := 0
	for _, count := range a {
		total += count
	}
	require.Zero(t, a[0], "no answer, or 429 without Retry-After")
	require.Greater(t, a[http.StatusTooManyRequests], total/10)
	require.Zero(t, a[http.StatusInternalServerError])
}

func statusOf(conn net.Conn) int {
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(answerTimeout)) // fails on a closed connection only, as the read then does
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close() // the connection goes with it
	if answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
		return 0
	}
	return answer.StatusCode
}
