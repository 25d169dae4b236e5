package raft

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

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

// FuzzBackupHeader reads anything as the beginning of a backup. What it takes names a cluster, and the
// records begin where it says.
func FuzzBackupHeader(f *testing.F) {
	f.Add([]byte(backupMagic + `{"cluster":"c1","index":7,"term":2,"time":"2026-01-02T03:04:05Z"}` + "\nrecords"))
	f.Add([]byte(backupMagic + "{}\n"))
	f.Add([]byte(backupMagic))
	f.Add([]byte("versiond backup 2\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		header, length, err := readBackupHeader(bytes.NewReader(data))
		if err != nil {
			return
		}
		require.NotEmpty(t, header.Cluster)
		require.LessOrEqual(t, length, int64(min(len(data), backupHeaderMax)))
		require.Equal(t, byte('\n'), data[length-1])
	})
}
