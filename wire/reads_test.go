package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func sampleFound() []model.Found {
	return []model.Found{
		{Exists: true, Version: model.Version{ID: "libstdc++6", VersionNo: "14.2.0", Platform: "linux/amd64", Revision: 1<<53 - 1}},
		{},
		{Exists: true, Version: model.Version{ID: strings.Repeat("é", 64), VersionNo: "1", Platform: "版本", Revision: 4096}},
	}
}

// A follower's clients get what the leader has, none of it shifted to another id.
func TestReadsComeBackAsTheyWere(t *testing.T) {
	for _, ids := range [][]string{{}, {"a"}, {"", "a b", strings.Repeat("x", 128)}} {
		got, err := DecodeReads(AppendReads(nil, ids))
		require.NoError(t, err)
		require.Equal(t, ids, got)
	}
	index, found, err := DecodeFound(AppendFound(nil, 42, sampleFound()))
	require.NoError(t, err)
	require.EqualValues(t, 42, index)
	require.Equal(t, sampleFound(), found)
}

// Half an answer is none.
func TestDamagedReadsAreRefused(t *testing.T) {
	reads, found := AppendReads(nil, []string{"a", "bc"}), AppendFound(nil, 300, sampleFound())
	for i := range reads {
		_, err := DecodeReads(reads[:i])
		require.ErrorIs(t, err, model.ErrCorrupt, "%d bytes", i)
	}
	for i := range found {
		_, _, err := DecodeFound(found[:i])
		require.ErrorIs(t, err, model.ErrCorrupt, "%d bytes", i)
	}
	for _, data := range [][]byte{append(reads, 0), {9, 0}, AppendReads(nil, make([]string, ReadsMax+1))} {
		_, err := DecodeReads(data)
		require.ErrorIs(t, err, model.ErrCorrupt)
	}
	for _, data := range [][]byte{append(found, 0), {9, 0, 0}, {formVersion, 1, 1, 2}} {
		_, _, err := DecodeFound(data)
		require.ErrorIs(t, err, model.ErrCorrupt)
	}
}

// FuzzDecodeReads looks for bytes that another node could send to break this one.
func FuzzDecodeReads(f *testing.F) {
	f.Add(AppendReads(nil, []string{"a", "bc"}))
	f.Add(AppendFound(nil, 300, sampleFound()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if ids, err := DecodeReads(data); err == nil {
			again, err := DecodeReads(AppendReads(nil, ids))
			require.NoError(t, err)
			require.Equal(t, ids, again)
		}
		if index, found, err := DecodeFound(data); err == nil {
			indexAgain, again, err := DecodeFound(AppendFound(nil, index, found))
			require.NoError(t, err)
			require.Equal(t, index, indexAgain)
			require.Equal(t, found, again)
		}
	})
}
