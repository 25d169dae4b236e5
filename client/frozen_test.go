package client_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/client"
)

// A node that is frozen keeps its connections: a restore gives it up, whenever it froze.
func TestARestoreGivesUpAFrozenNode(t *testing.T) {
	for name, reads := range map[string]int64{"before it reads": 0, "while it reads": 100 << 10, "once it has all": 10 << 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := mustClientOf(t, func(node net.Conn) { _, _ = io.CopyN(io.Discard, node, reads) })
				_, err := c.Restore(t.Context(), bytes.NewReader(make([]byte, 1<<20)), client.RestoreOptions{Timeout: time.Second})
				require.ErrorIs(t, err, client.ErrOutcomeUnknown)
				require.ErrorContains(t, err, "no answer in time")
			})
		})
	}
}

// A file may be long in coming, and a node may take its time to check it.
func TestARestoreWaitsForItsFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustClientOf(t, func(node net.Conn) {
			request, err := http.ReadRequest(bufio.NewReader(node))
			if err == nil {
				_, err = io.Copy(io.Discard, request.Body)
			}
			assert.NoError(t, err)
			<-time.After(2 * time.Minute)
			_, _ = io.WriteString(node, "HTTP/1.1 200 OK\r\nX-Versiond-Node: node1\r\nContent-Length: 13\r\n\r\n{\"records\":7}")
		})
		slow := io.MultiReader(strings.NewReader("the beginning"), slowly{}, strings.NewReader("the end"))
		restored, err := c.Restore(t.Context(), slow, client.RestoreOptions{Timeout: time.Second})
		require.NoError(t, err)
		require.EqualValues(t, 7, restored.Records)
	})
}

// slowly is a part of a file that ends after an hour.
type slowly struct{}

func (slowly) Read([]byte) (int, error) {
	<-time.After(time.Hour)
	return 0, io.EOF
}

// mustClientOf returns a client of a node that does with its one connection what a test wants, and then nothing.
func mustClientOf(t *testing.T, do func(node net.Conn)) *client.Client {
	t.Helper()
	here, node := net.Pipe()
	dial := func(context.Context, string, string) (net.Conn, error) {
		if here == nil {
			return nil, errors.New("it is frozen")
		}
		first := here
		here = nil
		return first, nil
	}
	go do(node)
	t.Cleanup(func() { _ = node.Close() })
	transport := &http.Transport{DialContext: dial, ExpectContinueTimeout: time.Second, DisableKeepAlives: true}
	return mustNew(t, client.Config{Addresses: []string{"http://node"}, HTTPClient: &http.Client{Transport: transport}})
}
