package raft

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func mustSnapshotBytes(t testing.TB, records int) []byte {
	t.Helper()
	view := &fakeView{store: newFakeStore(), rows: map[string]model.Version{}}
	for i := range records {
		id := fmt.Sprintf("id-%05d", i)
		view.rows[id] = model.Version{ID: id, VersionNo: fmt.Sprint(i), Platform: "linux", Revision: uint64(i+1) << 13}
	}
	var b bytes.Buffer
	require.NoError(t, writeSnapshot(context.Background(), &b, view))
	return b.Bytes()
}

func readSnapshot(data []byte) (records []model.Version, err error) {
	reader, err := newSnapshotReader(io.NopCloser(bytes.NewReader(data)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.close()) }()
	for {
		v, err := reader.next()
		if errors.Is(err, io.EOF) && !errors.Is(err, model.ErrCorrupt) {
			return records, nil
		}
		if err != nil {
			return nil, err
		}
		records = append(records, v)
	}
}

// What goes into a snapshot must come out of it, over more than one page and with none at all.
func TestSnapshotKeepsEveryRecord(t *testing.T) {
	for _, count := range []int{0, 1, snapshotPageSize, 2*snapshotPageSize + 7} {
		records, err := readSnapshot(mustSnapshotBytes(t, count))
		require.NoError(t, err)
		require.Len(t, records, count)
		for i, v := range records {
			require.Equal(t, model.Version{ID: fmt.Sprintf("id-%05d", i), VersionNo: fmt.Sprint(i), Platform: "linux", Revision: uint64(i+1) << 13}, v)
		}
	}
}

// A torn or altered snapshot must be refused, wherever the damage is: what it would restore is
// wrong data on a node that believes itself current.
func TestDamagedSnapshotIsRefused(t *testing.T) {
	whole := mustSnapshotBytes(t, 50)
	for at := range whole {
		_, err := readSnapshot(whole[:at])
		require.ErrorIs(t, err, model.ErrCorrupt, "cut at %d of %d", at, len(whole))
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x55
		records, err := readSnapshot(damaged)
		if err == nil { // a bit that means nothing may change, a record may not
			want, _ := readSnapshot(whole)
			require.Equal(t, want, records, "altered at %d", at)
		}
	}
}

func FuzzSnapshotReader(f *testing.F) {
	f.Add(mustSnapshotBytes(f, 3))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readSnapshot(data) // it must come to an end, without a panic and in little memory
	})
}
