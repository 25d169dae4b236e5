package snapshot

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

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
