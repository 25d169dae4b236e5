package server

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/load/crowd"
)

// A request that waits when its node stops has to be answered: its client could not know otherwise what became of a write.
func TestRequestsThatOutlastADrainAreToldThatTheirTimeIsOver(t *testing.T) {
	serving := make(chan struct{})
	server, address := serveOn(t, 10, func(w http.ResponseWriter, r *http.Request) {
		close(serving)
		<-r.Context().Done()
		_, _ = io.WriteString(w, "no leader")
	})
	answers := getAside(address)
	<-serving
	server.Drain()
	require.Equal(t, got{said: "no leader"}, <-answers)
}

// OPTIONS * is for the handler, too: net/http's own answer names no node and no request.
func TestTheHandlerHasAllRequests(t *testing.T) {
	asked := make(chan string, 1)
	_, address := serveOn(t, 10, func(_ http.ResponseWriter, r *http.Request) { asked <- r.RequestURI })
	conn := crowd.SendAndHalfClose(t, address, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	_, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.Len(t, asked, 1)
	require.Equal(t, "*", <-asked)
}

// A handler that heeds nothing must not keep a node from stopping.
func TestRequestsThatGoOnAreCutOff(t *testing.T) {
	serving, stopped := make(chan struct{}), make(chan struct{})
	server, address := serveOn(t, 10, func(http.ResponseWriter, *http.Request) {
		close(serving)
		<-stopped
	})
	answers := getAside(address)
	<-serving
	server.Drain()
	require.Error(t, (<-answers).err)
	close(stopped)
}

// got is what became of a request.
type got struct {
	said string
	err  error
}

// getAside asks a server, and hands over what became of that.
func getAside(address string) <-chan got {
	answers := make(chan got, 1)
	go func() {
		answer, err := http.Get("http://" + address)
		if err != nil {
			answers <- got{err: err}
			return
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		answers <- got{string(said), err}
	}()
	return answers
}
