package server

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A request that waits when its node stops has to be answered: its client could not know otherwise what became of a write.
func TestRequestsThatOutlastADrainAreToldThatTheirTimeIsOver(t *testing.T) {
	serving := make(chan struct{})
	server, address := serveOn(t, 10, func(w http.ResponseWriter, r *http.Request) {
		close(serving)
		<-r.Context().Done()
		_, _ = io.WriteString(w, "no leader")
	})
	answers := make(chan string)
	go func() {
		answer, err := http.Get("http://" + address)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer answer.Body.Close()
		said, _ := io.ReadAll(answer.Body)
		answers <- string(said)
	}()
	<-serving
	server.Drain()
	require.Equal(t, "no leader", <-answers)
}

// A handler that heeds nothing must not keep a node from stopping.
func TestRequestsThatGoOnAreCutOff(t *testing.T) {
	serving, stopped := make(chan struct{}), make(chan struct{})
	server, address := serveOn(t, 10, func(http.ResponseWriter, *http.Request) {
		close(serving)
		<-stopped
	})
	failed := make(chan error)
	go func() {
		answer, err := http.Get("http://" + address)
		if err == nil {
			err = answer.Body.Close()
		}
		failed <- err
	}()
	<-serving
	server.Drain()
	require.Error(t, <-failed)
	close(stopped)
}
