package controller_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/naming"
	"versiond/routers"
)

// A client that asks before it sends a large body waits for an answer, curl for a second and others for
// ever: a request that is refused without looking at its body is refused at once, before any of it is sent.
func TestARefusedRequestIsNotAskedForItsBody(t *testing.T) {
	n := mustNode(t)
	guarded, err := controller.NewVersionController(n.service, slog.New(slog.DiscardHandler), controller.Options{Access: controller.Access{Tokens: []controller.Token{{Name: "r", Role: naming.RoleRead, Secret: "a-secret-of-16-bytes"}}}})
	require.NoError(t, err)
	for _, each := range []struct {
		handler       http.Handler
		line, headers string
		length        int64
		status        int
		asked         bool
	}{
		{n.public, "POST /no/such/path", jsonHeader, 1_000_000, 404, false},
		{n.public, "PATCH /version/app", jsonHeader, 1_000_000, 405, false},
		{n.public, "POST /version", "Content-Type: text/plain\r\n", 1_000_000, 415, false},
		{n.public, "POST /restore", "Content-Type: text/plain\r\n", 1_000_000, 415, false},
		{n.public, "POST /version", jsonHeader + "Sec-Fetch-Site: cross-site\r\n", 1_000_000, 403, false},
		{n.peer, "POST /command", jsonHeader, 1_000_000, 415, false},
		{n.peer, "POST /nothing", jsonHeader, 1_000_000, 404, false},
		{routers.SetUpVersionRouter(guarded), "POST /version", jsonHeader, 1_000_000, 401, false},
		{routers.SetUpVersionRouter(guarded), "POST /version", jsonHeader + "Authorization: Bearer a-secret-of-16-bytes\r\n", 1_000_000, 403, false},
		{n.public, "POST /version", jsonHeader, 1<<20 + 1, 413, false},
		{n.public, "POST /restore", "Content-Type: application/octet-stream\r\n", 1<<30 + 1, 413, false},
		{n.peer, "POST /command", "Content-Type: application/vnd.versiond.commands\r\n", 4<<20 + 1, 413, false},
		{n.public, "POST /version", jsonHeader, 1_000_000, 100, true},
	} {
		server := httptest.NewServer(each.handler)
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\n%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", each.line, each.headers, each.length)
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, "%s: no answer without the body", each.line)
		require.Equal(t, each.status, answer.StatusCode, each.line)
		if !each.asked {
			require.True(t, answer.Close, "%s: what comes next on the connection could be the body", each.line)
			_, err = io.ReadAll(answer.Body)
			require.NoError(t, err)
		}
		require.NoError(t, errors.Join(conn.Close(), answer.Body.Close()))
		server.Close()
	}
}

const jsonHeader = "Content-Type: application/json\r\n"
