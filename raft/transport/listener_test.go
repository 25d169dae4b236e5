package transport

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// Whoever holds the peer port's connections without a word must not keep the other nodes out, and must
// not pile up: a node that its peers cannot reach is lost to the cluster.
func TestSilentConnectionsMakeRoomForPeers(t *testing.T) {
	listener, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	identity := func() model.Identity { return model.Identity{Cluster: "c", Node: "node1"} }
	layer := newStreamLayer(Config{Listener: listener, Address: address, Identity: identity, IDAt: func(string) string { return "node1" }, Distrust: quiet()})
	t.Cleanup(func() { require.NoError(t, layer.Close()); require.NoError(t, listener.Close()) })

	const most = strangersMax + 50
	silent := make([]net.Conn, most)
	for i := range silent {
		silent[i] = mustDial(t, address)
		if i%2 == 0 { // half a greeting is no better than none
			_, err := silent[i].Write([]byte{raftMagic, 0})
			require.NoError(t, err)
		}
	}
	conn, err := layer.Dial(raft.ServerAddress(address), 5*time.Second)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, silent[1].SetReadDeadline(time.Now().Add(greetingTimeout/2)), "before it would be closed anyway")
	_, err = silent[1].Read(make([]byte, 1))
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the oldest have to go")
}

func mustDial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
