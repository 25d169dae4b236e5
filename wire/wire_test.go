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

func sampleCommands() []model.Command {
	return []model.Command{
		{Type: model.CommandAdd, ID: "libstdc++6", VersionNo: "12.2.0-14", Platform: "amd64"},
		{Type: model.CommandUpdate, ID: "版本", VersionNo: "2", Platform: "安卓", IfRevision: 1 << 40},
		{Type: model.CommandDelete, ID: "gone", IfRevision: 4097},
	}
}

// An entry in somebody's log that a later release cannot read would stop their cluster.
func TestGoldenEntriesDecodeForEver(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "commands-v1.hex"))
	require.NoError(t, err)
	golden, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	got, err := DecodeCommands(golden)
	require.NoError(t, err)
	require.Equal(t, sampleCommands(), got)
	require.Equal(t, golden, AppendCommands(nil, sampleCommands()))
}

// A follower that loses or swaps an outcome would tell its client another client's fate.
func TestOutcomesComeBackAsTheyWere(t *testing.T) {
	want := []model.Outcome{{Code: model.OutcomeDone, Revision: 1 << 50}, {Code: model.OutcomeNotFound}, {Code: model.OutcomeRevisionMismatch, Revision: 7}}
	index, got, err := DecodeOutcomes(AppendOutcomes(nil, 42, want))
	require.NoError(t, err)
	require.Equal(t, uint64(42), index)
	require.Equal(t, want, got)
}

// Damaged bytes must be refused whole: a command that is guessed makes nodes differ.
func TestDamagedCommandsAreRefused(t *testing.T) {
	whole := AppendCommands(nil, sampleCommands())
	for cut := range whole {
		_, err := DecodeCommands(whole[:cut])
		require.ErrorIs(t, err, model.ErrCorrupt, "cut at %d", cut)
	}
	for name, data := range map[string][]byte{
		"left over":        append(append([]byte{}, whole...), 0),
		"another version":  append([]byte{2}, whole[1:]...),
		"unknown type":     {1, 1, 9, 0, 0, 0, 0},
		"too many":         {1, 0x81, 0x20},
		"number too large": {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"text too long":    {1, 1, 1, 0x81, 0x08},
	} {
		_, err := DecodeCommands(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

// The grouping counts bytes with CommandBytes; were it ever too small an entry could pass its bound.
func TestCommandBytesBoundsTheEncoding(t *testing.T) {
	for _, c := range sampleCommands() {
		require.GreaterOrEqual(t, CommandBytes(&c), len(appendCommand(nil, &c)))
	}
}

func FuzzDecodeCommands(f *testing.F) {
	f.Add(AppendCommands(nil, sampleCommands()))
	f.Fuzz(func(t *testing.T, data []byte) {
		commands, err := DecodeCommands(data)
		if err != nil {
			require.ErrorIs(t, err, model.ErrCorrupt)
			return
		}
		again, err := DecodeCommands(AppendCommands(nil, commands))
		require.NoError(t, err)
		require.Equal(t, commands, again)
	})
}

func FuzzDecodeOutcomes(f *testing.F) {
	f.Add(AppendOutcomes(nil, 9, []model.Outcome{{Code: model.OutcomeDone, Revision: 36864}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, err := DecodeOutcomes(data); err != nil {
			require.ErrorIs(t, err, model.ErrCorrupt)
		}
	})
}
