package peer_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/peer"
)

// mustRefuse returns an address at which nobody listens.
func mustRefuse(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// hangUp reads the request and closes the connection, as a node that is killed does.
func hangUp(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// A write that nobody can have taken may be tried on the next leader; told as unknown, it would
// reach the client as such each time a leader dies.
func TestRefusedConnectionMeansNotSent(t *testing.T) {
	c := mustClient(t)
	address := mustRefuse(t)
	requireWrite(t, c, address, model.ErrNotLeader)
	_, err := c.Status(t.Context(), address)
	require.ErrorIs(t, err, model.ErrNodeUnreachable)
}

// A write whose answer is lost may have happened: tried again it would happen twice.
func TestCutConnectionMeansUnknown(t *testing.T) {
	c := mustClient(t)
	address := mustServe(t, hangUp)
	requireWrite(t, c, address, model.ErrOutcomeUnknown)
	_, err := c.Status(t.Context(), address)
	require.ErrorIs(t, err, model.ErrNodeUnreachable)
}

// A request that was given up must not be sent any more: its write would be done when nobody reckons with it.
func TestRequestThatIsGivenUpIsReset(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1)) // the request has begun
		cancel()
		for err == nil {
			_, err = conn.Read(make([]byte, 64<<10))
		}
		ended <- err
	}()
	_, _, err = mustClient(t).Commands(ctx, listener.Addr().String(), sampleCommands())
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	require.ErrorIs(t, <-ended, syscall.ECONNRESET)
}

// The same when the connection ends in the middle of the answer.
func TestCutAnswerMeansUnknown(t *testing.T) {
	address := mustServe(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte{1, 2})
	})
	requireWrite(t, mustClient(t), address, model.ErrOutcomeUnknown)
}

// The leader proposed the group whatever its answer looks like; a client that got its neighbour's
// outcome would be told a lie.
func TestStrangeOutcomesMeanUnknown(t *testing.T) {
	c := mustClient(t)
	for name, handler := range map[string]http.HandlerFunc{
		"too few":        handleCommands(sampleOutcomes()[:1]),
		"too many":       handleCommands(append(sampleOutcomes(), sampleOutcomes()...)),
		"none":           handleCommands(nil),
		"another unit's": handleCommands([]model.UnitOutcome{sampleOutcomes()[1], sampleOutcomes()[0]}),
		"garbage":        answering(http.StatusOK, peer.OutcomesType, "garbage"),
		"empty":          answering(http.StatusOK, peer.OutcomesType, ""),
	} {
		t.Run(name, func(t *testing.T) { requireWrite(t, c, mustServe(t, handler), model.ErrOutcomeUnknown) })
	}
}

// A write that waits until its time is over has been sent; only the leader knows what became of it.
func TestSilentLeaderMeansUnknown(t *testing.T) {
	release := make(chan struct{})
	address := mustServe(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := mustClient(t)
	_, _, err := c.Commands(ctx, address, sampleCommands())
	require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	_, err = c.ReadIndex(ctx, address, model.LevelLinearizable, model.TermAck{})
	require.ErrorIs(t, err, model.ErrNodeUnreachable)
}

// A write whose time was over before it could be sent did not happen, and must not be reported as
// one that may have.
func TestExpiredWriteIsNotSent(t *testing.T) {
	asked := make(chan struct{}, 1)
	address := mustServe(t, func(http.ResponseWriter, *http.Request) { asked <- struct{}{} })
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, _, err := mustClient(t).Commands(ctx, address, sampleCommands())
	require.Error(t, err)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
	require.Empty(t, asked)
}

// A node must not read an endless answer into memory.
func TestEndlessAnswerIsCutOff(t *testing.T) {
	address := mustServe(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 1<<16)
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	_, err := mustClient(t).Status(t.Context(), address)
	require.ErrorIs(t, err, model.ErrCorrupt)
}
