package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/units"
)

func sampleCommands() []model.Command {
	return []model.Command{
		{Type: model.CommandAdd, ID: "libstdc++6", VersionNo: "12.2.0-14", Platform: "amd64"},
		{Type: model.CommandUpdate, ID: "版本", VersionNo: "2", Platform: "安卓", IfRevision: 1 << 40},
		{Type: model.CommandDelete, ID: "gone", IfRevision: 4097},
	}
}

func samplePlain() []model.Unit { return units.Singles(sampleCommands()...) }

// sampleUnits has a unit of each kind.
func sampleUnits() []model.Unit {
	return []model.Unit{
		{Commands: sampleCommands(), Atomic: true},
		model.Single(sampleCommands()[1]),
		{Commands: sampleCommands()[:2]},
		{Commands: sampleCommands()[2:], Atomic: true},
	}
}

// sampleKeyed has units with keys, and one without.
func sampleKeyed() []model.Unit {
	units := sampleUnits()
	for i := range units[:3] {
		units[i].Idempotency = &model.Idempotency{Key: [16]byte{byte(i), 0xaa, 15: 1}, Request: [16]byte{0xbb, byte(i), 15: 2}}
	}
	return units
}

// sampleOrigins has units that say where they came from, with a key and without, and one that does not.
func sampleOrigins() []model.Unit {
	units := sampleKeyed()
	units[0].Origin = &model.Origin{At: 1764422400123, By: "ci"}
	units[1].Origin = &model.Origin{By: strings.Repeat("b", model.OriginByBytesMax)}
	units[3].Origin = &model.Origin{At: 1}
	return units
}

func mustGolden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	golden, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	return golden
}

// An entry in somebody's log that a later release cannot read would stop their cluster; one that was
// written in another way by a release that is being rolled out would stop the others.
func TestGoldenEntriesDecodeForEver(t *testing.T) {
	for name, want := range map[string][]model.Unit{"single.hex": samplePlain(), "units.hex": sampleUnits(), "keys.hex": sampleKeyed(), "details.hex": sampleDetailed(), "origins.hex": sampleOrigins()} {
		golden := mustGolden(t, name)
		got, err := DecodeUnits(golden)
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
		require.Equal(t, golden, AppendUnits(nil, want), name)
	}
}

// Nodes that keep changes from different entries on differ. To everything else that reads entries it is none that it knows.
func TestTheEntryThatBeginsTheChangesStaysAsItIs(t *testing.T) {
	golden := mustGolden(t, "keep-changes.hex")
	require.Equal(t, golden, KeepChanges())
	require.True(t, IsKeepChanges(golden))
	for _, other := range [][]byte{nil, golden[:1], append(KeepChanges(), 0), {4, 11}, mustGolden(t, "single.hex"), {restoreVersion, byte(model.CommandKeepChanges)}} {
		require.False(t, IsKeepChanges(other), "%x", other)
	}
	_, err := DecodeUnits(golden)
	require.ErrorIs(t, err, model.ErrCorrupt)
	_, is := IsRestoreStep(golden)
	require.False(t, is)
}

// A follower that loses or swaps an outcome would tell its client another client's fate.
func TestOutcomesComeBackAsTheyWere(t *testing.T) {
	for _, want := range [][]model.UnitOutcome{samplePlainOutcomes(), sampleOutcomes(), {}} {
		index, got, err := DecodeOutcomes(AppendOutcomes(nil, 42, want))
		require.NoError(t, err)
		require.Equal(t, uint64(42), index)
		require.Equal(t, want, got)
	}
	golden := []byte{1, 42, 3, 3, 0, 1, 1, 9, 0, 1, 3, 0, 0, 1, 4, 7}
	require.Equal(t, golden, AppendOutcomes(nil, 42, samplePlainOutcomes()))
}

func samplePlainOutcomes() []model.UnitOutcome {
	return []model.UnitOutcome{
		{Outcomes: []model.Outcome{{Code: model.OutcomeDone, Revision: 9}}},
		{Outcomes: []model.Outcome{{Code: model.OutcomeNotFound}}},
		{Outcomes: []model.Outcome{{Code: model.OutcomeRevisionMismatch, Revision: 7}}},
	}
}

func sampleOutcomes() []model.UnitOutcome {
	return []model.UnitOutcome{
		{Outcomes: []model.Outcome{{Code: model.OutcomeDone, Revision: 1 << 50}}},
		{Outcomes: []model.Outcome{{Code: model.OutcomeNotDone}, {Code: model.OutcomeAlreadyExists, Revision: 4096}}, Replayed: true},
		{Outcomes: []model.Outcome{{Code: model.OutcomeKeyReused}}},
	}
}

// An answer that does not say which unit an outcome belongs to is no answer.
func TestDamagedOutcomesAreRefused(t *testing.T) {
	whole := AppendOutcomes(nil, 42, sampleOutcomes())
	for cut := range whole {
		_, _, err := DecodeOutcomes(whole[:cut])
		require.ErrorIs(t, err, model.ErrCorrupt, "cut at %d", cut)
	}
	for name, data := range map[string][]byte{
		"another version":    {3, 42, 1, 1, 0, 1, 1, 9},
		"unknown outcome":    {1, 42, 1, 1, 0, 1, 7, 9},
		"unknown flags":      {1, 42, 1, 1, 2, 1, 1, 9},
		"a unit of none":     {1, 42, 1, 2, 0, 0, 0, 1, 1, 9},
		"a unit of too many": {1, 42, 1, 1, 0, 2, 1, 9, 1, 9},
		"an outcome of none": {1, 42, 2, 1, 0, 1, 1, 9},
	} {
		_, _, err := DecodeOutcomes(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

// Damaged bytes must be refused whole: a command that is guessed makes nodes differ.
func TestDamagedCommandsAreRefused(t *testing.T) {
	whole := AppendUnits(nil, samplePlain())
	for _, each := range [][]byte{whole, AppendUnits(nil, sampleUnits()), AppendUnits(nil, sampleKeyed()), AppendUnits(nil, sampleOrigins())} {
		for cut := range each {
			_, err := DecodeUnits(each[:cut])
			require.ErrorIs(t, err, model.ErrCorrupt, "cut at %d", cut)
		}
	}
	for name, data := range map[string][]byte{
		"left over":        append(append([]byte{}, whole...), 0),
		"another version":  append([]byte{3}, whole[1:]...),
		"number too large": {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"text too long":    {1, 1, 1, 0, 1, 1, 0x81, 0x08},
		"too many":         {1, 0x81, 0x20, 1},

		"more units than commands":   {1, 1, 2, 0, 1, 3, 1, 'a', 0, 0, 0, 0, 0},
		"a unit of none":             {1, 0, 1, 0, 0},
		"a unit beyond the count":    {1, 1, 1, 0, 2, 3, 1, 'a', 0, 0, 0, 3, 1, 'a', 0, 0, 0},
		"a command that is in none":  {1, 2, 1, 0, 1, 3, 1, 'a', 0, 0, 0},
		"unknown flags":              {1, 1, 1, 0x80, 1, 3, 1, 'a', 0, 0, 0},
		"left over after the units":  {1, 1, 1, 0, 1, 3, 1, 'a', 0, 0, 0, 0},
		"a time beyond all":          append([]byte{1, 1, 1, 4}, append(binary.AppendUvarint(nil, 1<<63), 0, 1, 3, 1, 'a', 0, 0, 0)...),
		"a time that no store has":   append([]byte{1, 1, 1, 4}, append(binary.AppendUvarint(nil, 253402300800000), 0, 1, 3, 1, 'a', 0, 0, 0)...),
		"a name that is no text":     {1, 1, 1, 4, 1, 1, 0xff, 1, 3, 1, 'a', 0, 0, 0},
		"a name that is too long":    append(append([]byte{1, 1, 1, 4, 1, 0x81, 1}, bytes.Repeat([]byte{'a'}, 129)...), 1, 3, 1, 'a', 0, 0, 0),
		"unknown type within a unit": {1, 1, 1, 0, 1, 9, 1, 'a', 0, 0, 0},
	} {
		_, err := DecodeUnits(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

// The grouping counts bytes with UnitBytes; were it ever too small an entry could pass its bound.
func TestUnitBytesBoundsTheEncoding(t *testing.T) {
	longest := model.Command{Type: model.CommandUpdate, ID: strings.Repeat("i", 128), VersionNo: strings.Repeat("v", 256), Platform: strings.Repeat("p", 256), IfRevision: 1<<64 - 1}
	many := model.Unit{Commands: make([]model.Command, model.UnitCommandsMax)}
	for i := range many.Commands {
		many.Commands[i] = longest
	}
	for _, u := range slices.Concat(sampleUnits(), samplePlain(), sampleKeyed(), sampleOrigins(), []model.Unit{model.Single(longest), many}) {
		require.GreaterOrEqual(t, UnitBytes(&u), len(appendUnit(nil, &u)))
	}
}

func FuzzDecodeUnits(f *testing.F) {
	f.Add(mustGolden(f, "single.hex"))
	f.Add(mustGolden(f, "units.hex"))
	f.Add(mustGolden(f, "keys.hex"))
	f.Add(mustGolden(f, "origins.hex"))
	f.Fuzz(func(t *testing.T, data []byte) {
		units, err := DecodeUnits(data)
		if err != nil {
			require.ErrorIs(t, err, model.ErrCorrupt)
			return
		}
		again, err := DecodeUnits(AppendUnits(nil, units))
		require.NoError(t, err)
		require.Equal(t, units, again)
	})
}

func FuzzDecodeOutcomes(f *testing.F) {
	f.Add(AppendOutcomes(nil, 9, samplePlainOutcomes()))
	f.Add(AppendOutcomes(nil, 9, sampleOutcomes()))
	f.Fuzz(func(t *testing.T, data []byte) {
		index, units, err := DecodeOutcomes(data)
		if err != nil {
			require.ErrorIs(t, err, model.ErrCorrupt)
			return
		}
		again, got, err := DecodeOutcomes(AppendOutcomes(nil, index, units))
		require.NoError(t, err)
		require.Equal(t, index, again)
		require.Equal(t, units, got)
	})
}
