package wire

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// sampleSteps has one of each type.
func sampleSteps() []model.RestoreStep {
	return []model.RestoreStep{
		{Type: model.CommandRestoreBegin, Records: 1_000_000, Bytes: 1 << 29, Checksum: 0xdeadbeef, Foreign: true},
		{Type: model.CommandRestoreBegin, Records: 3, Bytes: 70, Checksum: 1},
		{Type: model.CommandRestoreChunk, Begin: 1 << 40, Data: []byte("a part")},
		{Type: model.CommandRestoreCommit, Begin: 1 << 40},
		{Type: model.CommandRestoreAbort, Begin: 7},
	}
}

// A restore in somebody's log must be read alike by every later release: a node that built its store anew from
// that log would otherwise hold other records than the rest.
func TestGoldenRestoreStepsDecodeForEver(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "restore-v3.hex"))
	require.NoError(t, err)
	lines := strings.Fields(string(text))
	require.Len(t, lines, len(sampleSteps()))
	for i, want := range sampleSteps() {
		golden, err := hex.DecodeString(lines[i])
		require.NoError(t, err)
		got, err := DecodeRestoreStep(golden)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, golden, AppendRestoreStep(nil, &want))
		kind, is := IsRestoreStep(golden)
		require.True(t, is)
		require.Equal(t, want.Type, kind)
		_, err = DecodeUnits(golden)
		require.ErrorIs(t, err, model.ErrCorrupt, "nobody passes on a restore as a write")
	}
	for _, units := range [][]model.Unit{samplePlain(), sampleUnits(), sampleKeyed(), {}} {
		_, is := IsRestoreStep(AppendUnits(nil, units))
		require.False(t, is)
	}
}

// Damaged bytes must be refused whole: a node that guesses loads other records.
func TestDamagedRestoreStepsAreRefused(t *testing.T) {
	for _, step := range sampleSteps() {
		whole := AppendRestoreStep(nil, &step)
		for cut := range whole {
			_, err := DecodeRestoreStep(whole[:cut])
			require.ErrorIs(t, err, model.ErrCorrupt, "cut at %d", cut)
		}
		_, err := DecodeRestoreStep(append(whole, 0))
		require.ErrorIs(t, err, model.ErrCorrupt, "left over")
	}
	for name, data := range map[string][]byte{
		"another version":    {4, 6, 1},
		"unknown type":       {3, 8, 1},
		"a type of units":    {3, 1, 1},
		"unknown flags":      {3, 4, 1, 1, 0, 0, 0, 0, 2},
		"too large a backup": {3, 4, 1, 0x81, 0x80, 0x80, 0x80, 0x04, 0, 0, 0, 0, 0},
		"too large a part":   append([]byte{3, 5, 1, 0x81, 0x80, 0x10}, make([]byte, model.RestoreChunkBytesMax+1)...),
	} {
		_, err := DecodeRestoreStep(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

func FuzzDecodeRestoreStep(f *testing.F) {
	for _, step := range sampleSteps() {
		f.Add(AppendRestoreStep(nil, &step))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		step, err := DecodeRestoreStep(data)
		if err != nil {
			require.ErrorIs(t, err, model.ErrCorrupt)
			return
		}
		again, err := DecodeRestoreStep(AppendRestoreStep(nil, &step))
		require.NoError(t, err)
		require.Equal(t, step, again)
	})
}
