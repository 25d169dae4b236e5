package transport

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// Strangers must not get into the Raft port: a node of another cluster, or one that takes this node
// for another, could make one node answer for two.
func TestStreamLayerRefusesStrangers(t *testing.T) {
	listener, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	ours := func() model.Identity { return model.Identity{Cluster: "c1", Node: "node2"} }
	server := newStreamLayer(Config{Listener: listener, Address: "node2:7002", Secret: "secret", Identity: ours, Distrust: quiet()})
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	dial := func(cluster, to, secret string) error {
		client := &streamLayer{secret: secret, identity: func() model.Identity { return model.Identity{Cluster: cluster, Node: "node1"} },
			idAt: func(string) string { return to }, distrust: quiet(), dial: listener.dial}
		conn, err := client.Dial(raft.ServerAddress("localhost:"+port(listener)), 2*time.Second)
		if err == nil {
			require.NoError(t, conn.Close())
		}
		return err
	}
	require.NoError(t, dial("c1", "node2", "secret"))
	require.ErrorIs(t, dial("c2", "node2", "secret"), model.ErrWrongNode)
	require.ErrorIs(t, dial("c1", "node3", "secret"), model.ErrWrongNode)
	require.ErrorIs(t, dial("c1", "node2", "wrong"), model.ErrSecretsDiffer)
	require.ErrorIs(t, dial("c2", "node3", "wrong"), model.ErrSecretsDiffer, "who has no secret learns nothing else")
	select {
	case conn := <-accepted: // a moment after the greeting was answered
		require.NoError(t, conn.Close())
	case <-time.After(5 * time.Second):
		t.Fatal("the connection that was welcomed did not arrive")
	}
	require.Empty(t, accepted)
	require.Equal(t, "node2:7002", server.Addr().String(), "a host name must stay one")
}

// When Raft could not be started and then could, the first transport must take no connection from the second: it
// would welcome it and drop it.
func TestClosedStreamLayerTakesNothing(t *testing.T) {
	listener, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	ours := func() model.Identity { return model.Identity{Cluster: "c1", Node: "node2"} }
	for range 100 { // one in many has not begun to wait for connections when it is closed
		require.NoError(t, newStreamLayer(Config{Listener: listener, Address: "node2:7002", Identity: ours, Distrust: quiet()}).Close())
	}
	server := newStreamLayer(Config{Listener: listener, Address: "node2:7002", Identity: ours, Distrust: quiet()})
	client := &streamLayer{identity: ours, idAt: func(string) string { return "node2" }, distrust: quiet(), dial: listener.dial}
	for range 20 {
		conn, err := client.Dial(raft.ServerAddress("localhost:"+port(listener)), 2*time.Second)
		require.NoError(t, err)
		taken, err := server.Accept()
		require.NoError(t, err)
		require.NoError(t, errors.Join(conn.Close(), taken.Close()))
	}
}

// FuzzGreeting reads anything as what opens a Raft connection. Nobody has proved who they are by then:
// it must not panic, nor read further than the greeting goes.
func FuzzGreeting(f *testing.F) {
	body, err := json.Marshal(greeting{Cluster: "c1", From: "node1", To: "node2", Secret: "s"})
	require.NoError(f, err)
	f.Add(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...))
	f.Add([]byte{0x10, 0x01, '{'})
	f.Add([]byte{0, 2, '{', '}', 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		conn := bytes.NewReader(data)
		_, err := readGreeting(conn)
		read := len(data) - conn.Len()
		require.LessOrEqual(t, read, 2+greetingBytesMax)
		if err == nil {
			require.Equal(t, 2+int(binary.BigEndian.Uint16(data)), read)
		}
	})
}

func quiet() *Distrust { return NewDistrust(slog.New(slog.DiscardHandler)) }

func port(l *Listener) string {
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		panic(err)
	}
	return port
}

// A node that stops does not wait for one that has begun to greet it and goes on with nothing.
func TestClosedListenerWaitsForNoGreeting(t *testing.T) {
	listener, err := Listen("127.0.0.1:0")
	require.NoError(t, err)
	layer := newStreamLayer(Config{Listener: listener, Address: "node2:7002", Identity: func() model.Identity { return model.Identity{} }, Distrust: quiet()})
	for range 3 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = conn.Write([]byte{raftMagic})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return listener.strangers.Len() == 3 }, 5*time.Second, time.Millisecond)
	began := time.Now()
	require.NoError(t, errors.Join(layer.Close(), listener.Close()))
	require.Less(t, time.Since(began), greetingTimeout/2)
}
