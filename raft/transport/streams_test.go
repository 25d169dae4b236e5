package transport

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// endless is a snapshot of which something is there, and then for ever nothing, or for ever more.
type endless struct {
	stops bool
	given bool
	over  <-chan struct{}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.given && e.stops {
		<-e.over
		return 0, io.EOF
	}
	e.given = true
	return len(p), nil
}

// A leader that is frozen in the middle of a snapshot must not take the vote of the node that it sends it to. If this fails, nobody
// leads while it is, and the receiver cannot be stopped.
func TestASnapshotThatStopsIsGivenUp(t *testing.T) {
	from, to := newSilenceLayer(t), newSilenceLayer(t)
	to.silence = time.Second
	rpc := mustSend(t, from, to, &endless{stops: true, over: t.Context().Done()}, make(chan error, 1))
	received := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, rpc.Reader)
		received <- n
	}()
	select {
	case n := <-received:
		require.Less(t, n, int64(snapshotBytes))
	case <-time.After(10 * time.Second):
		t.Fatal("it is waited for for ever")
	}
	rpc.Respond(nil, errors.New("it is not whole"))
}

// A node that stops waits for none that it sends a snapshot and that takes nothing of it.
func TestAbortEndsWhatIsBeingSent(t *testing.T) {
	from, to := newSilenceLayer(t), newSilenceLayer(t)
	sent := make(chan error, 1)
	rpc := mustSend(t, from, to, &endless{}, sent)
	(&Transport{layer: from}).Abort()
	select {
	case err := <-sent:
		require.Error(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it is waited for for minutes")
	}
	rpc.Respond(nil, errors.New("nothing of it was read"))
	_, err := from.Dial(raft.ServerAddress("localhost:"+port(to.raw.owner)), time.Second)
	require.Error(t, err, "nothing begins any more")
}

const snapshotBytes = 1 << 30

// mustSend begins to send a snapshot, and returns it as it arrives.
func mustSend(t *testing.T, from, to *streamLayer, data io.Reader, sent chan<- error) raft.RPC {
	t.Helper()
	sender, receiver := newTestTransport(t, from), newTestTransport(t, to)
	address := raft.ServerAddress("localhost:" + port(to.raw.owner))
	go func() {
		sent <- sender.InstallSnapshot("node2", address, &raft.InstallSnapshotRequest{Term: 1, Size: snapshotBytes}, new(raft.InstallSnapshotResponse), data)
	}()
	select {
	case rpc := <-receiver.Consumer():
		return rpc
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrives")
		return raft.RPC{}
	}
}

func newSilenceLayer(t *testing.T) *streamLayer {
	t.Helper()
	listener, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return newStreamLayer(Config{
		Listener: listener, Address: "node2:7002", Identity: func() model.Identity { return model.Identity{Cluster: "c1", Node: "node2"} },
		IDAt: func(string) string { return "" }, Distrust: quiet(),
	})
}
