package proxy_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
	"versiond/test/harness/proxy"
)

const patience = 10 * time.Second

// mustServe runs a server that answers each line with "ok" and it, and counts what it heard.
func mustServe(t *testing.T) (addr string, heard chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	heard = make(chan string, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn, heard)
		}
	}()
	return listener.Addr().String(), heard
}

func answer(conn net.Conn, heard chan<- string) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		heard <- lines.Text()
		if _, err := fmt.Fprintf(conn, "ok %s\n", lines.Text()); err != nil {
			return
		}
	}
}

func mustListen(t *testing.T) (p *proxy.Proxy, heard chan string) {
	t.Helper()
	target, heard := mustServe(t)
	p, err := proxy.Listen(cluster.FreeAddress(t), target)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p, heard
}

// client is one connection through the proxy.
type client struct {
	net.Conn
	answers *bufio.Reader
}

func mustDial(t *testing.T, p *proxy.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &client{Conn: conn, answers: bufio.NewReader(conn)}
}

func (c *client) ask(line string, within time.Duration) (string, error) {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	return c.answers.ReadString('\n')
}

func (c *client) mustAsk(t *testing.T, line string) {
	t.Helper()
	got, err := c.ask(line, patience)
	require.NoError(t, err)
	require.Equal(t, "ok "+line+"\n", got)
}

// Tests of a refused, cut or silent store would test nothing if the proxy let it answer.
func TestRefuseCutAndStall(t *testing.T) {
	p, _ := mustListen(t)
	c := mustDial(t, p)
	c.mustAsk(t, "one")

	p.Cut()
	_, err := c.ask("two", patience)
	require.Error(t, err)
	mustDial(t, p).mustAsk(t, "three")

	require.NoError(t, p.Refuse())
	_, err = net.Dial("tcp", p.Addr())
	require.Error(t, err)
	require.NoError(t, p.Heal())

	c = mustDial(t, p)
	p.Stall()
	_, err = c.ask("four", 100*time.Millisecond)
	require.Error(t, err)
	require.NoError(t, p.Heal())
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	got, err := c.answers.ReadString('\n')
	require.NoError(t, err, "what was held back gets through")
	require.Equal(t, "ok four\n", got)
}

// A store that is to be slow must not be fast on some connections.
func TestSlowAndThrottle(t *testing.T) {
	p, _ := mustListen(t)
	c := mustDial(t, p)
	for name, set := range map[string]func(){
		"slow":      func() { p.Slow(100 * time.Millisecond) },
		"throttled": func() { p.Throttle(100) },
	} {
		set()
		began := time.Now()
		c.mustAsk(t, "twenty bytes or more")
		require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond, name)
		require.NoError(t, p.Heal())
	}
}

// Around a COMMIT it matters on which side of it the connection is lost.
func TestLosses(t *testing.T) {
	p, heard := mustListen(t)
	p.LoseRequest("COMMIT", 1)
	c := mustDial(t, p)
	c.mustAsk(t, "BEGIN")
	require.Equal(t, "BEGIN", <-heard)
	_, err := c.ask("COMMIT", patience)
	require.Error(t, err)
	require.Empty(t, heard, "the server heard what was to be lost")
	require.Zero(t, p.LossesLeft())

	p.LoseAnswer("COMMIT", 1)
	_, err = mustDial(t, p).ask("COMMIT", patience)
	require.Error(t, err)
	require.Equal(t, "COMMIT", <-heard)
	mustDial(t, p).mustAsk(t, "COMMIT")
}
