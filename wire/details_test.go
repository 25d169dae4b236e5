package wire

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func percent(p uint8) *uint8 { return &p }

// sampleDetails have each field, some of them alone.
func sampleDetails() []*model.Details {
	return []*model.Details{
		{Scheme: "semver", MinVersionNo: "1.2.0", FromVersionNo: "1.0.0", Mandatory: true, RolloutPercent: percent(0), Withdrawn: true,
			Attributes: map[string]string{"url": "https://example.org", "notes": "版本\n", "empty": ""}},
		{Withdrawn: true},
		{RolloutPercent: percent(100)},
		{Attributes: map[string]string{"b": "1", "a": "2"}},
	}
}

// allBefore names each field of sampleDetails. An entry that was written before there were more does not name those.
const allBefore = model.DetailScheme | model.DetailMinVersionNo | model.DetailFromVersionNo | model.DetailMandatory | model.DetailRolloutPercent |
	model.DetailWithdrawn | model.DetailAttributes

// sampleDetailed has commands that set details, leave them and clear them.
func sampleDetailed() []model.Unit {
	d := sampleDetails()
	return []model.Unit{
		model.Single(model.Command{Type: model.CommandAdd, ID: "app", VersionNo: "1.4.0", Platform: "ios", Details: d[0], DetailNames: d[0].DetailNames()}),
		{Atomic: true, Commands: []model.Command{
			{Type: model.CommandUpdate, ID: "app", VersionNo: "1.5.0", Platform: "ios", IfRevision: 4097},
			{Type: model.CommandUpdate, ID: "app", VersionNo: "1.5.0", Platform: "ios", Details: d[1], DetailNames: allBefore},
			{Type: model.CommandUpdate, ID: "app", VersionNo: "1.5.0", Platform: "ios", DetailNames: model.DetailScheme | model.DetailAttributes},
		}},
	}
}

// What a record says beyond its three fields must come through the log, through snapshots and from the leader as it was.
func TestDetailsComeBackAsTheyWere(t *testing.T) {
	units, err := DecodeUnits(AppendUnits(nil, sampleDetailed()))
	require.NoError(t, err)
	require.Equal(t, sampleDetailed(), units)
	var all model.DetailSet
	for _, d := range sampleDetails() {
		all |= d.DetailNames()
	}
	require.Equal(t, model.DetailsAll, all, "a field that the samples leave out is in no test of bytes")
	for _, d := range append(sampleDetails(), nil) {
		row := model.Version{ID: "app", VersionNo: "1", Platform: "ios", Details: d, Revision: 4096}
		read, err := ReadRecord(bufio.NewReader(bytes.NewReader(AppendRecord(nil, &row))), d != nil)
		require.NoError(t, err)
		require.Equal(t, row, read)

		found := []model.Found{{Record: model.VersionDB(row), Exists: true}, {Page: &model.Page{Items: []model.VersionDB{model.VersionDB(row)}}}}
		_, rows, err := DecodeFound(AppendFound(nil, 7, found))
		require.NoError(t, err)
		require.Equal(t, found, rows)

		outcomes := []model.UnitOutcome{{Outcomes: []model.Outcome{{Code: model.OutcomeDone, Revision: 9, Details: d}, {Code: model.OutcomeNotFound}}}}
		_, told, err := DecodeOutcomes(AppendOutcomes(nil, 7, outcomes))
		require.NoError(t, err)
		require.Equal(t, outcomes, told)
	}
}

// Details that are guessed, or read in two ways, make nodes differ.
func TestDamagedDetailsAreRefused(t *testing.T) {
	whole := AppendUnits(nil, sampleDetailed())
	for cut := range whole {
		_, err := DecodeUnits(whole[:cut])
		require.ErrorIs(t, err, model.ErrCorrupt, "cut at %d", cut)
	}
	for name, data := range map[string][]byte{
		"an unknown field":              {0x80},
		"a scheme that is empty":        {1, 0},
		"an attribute that comes twice": {64, 2, 1, 'a', 0, 1, 'a', 0},
		"attributes that are none":      {64, 0},
		"more behind":                   {32, 0},
		"nothing":                       {0},
	} {
		_, err := unpackDetails(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

// FuzzDetails must refuse what it cannot read, and write what it reads as it was.
func FuzzDetails(f *testing.F) {
	for _, d := range sampleDetails() {
		f.Add(appendDetails(nil, d))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := unpackDetails(data)
		if err != nil {
			return
		}
		again, err := unpackDetails(appendDetails(nil, d))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}
