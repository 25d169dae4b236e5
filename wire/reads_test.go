package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func sampleQueries() []model.Query {
	return []model.Query{{ID: "libstdc++6"}, {}, {Page: &model.ListOptions{Platform: "版本", Prefix: "x/", After: strings.Repeat("x", 128), Limit: 7}}, {Page: &model.ListOptions{Limit: 1}},
		{Candidates: &model.Candidates{IDs: []string{"app-ios", "@scope/app"}, Platform: "ios"}},
		{History: &model.HistoryOptions{ID: "@scope/app", Before: 1 << 50, Limit: 7}}}
}

func sampleFound() []model.Found {
	libstdc := model.VersionDB{ID: "libstdc++6", VersionNo: "14.2.0", Platform: "linux/amd64", Revision: 1<<53 - 1}
	other := model.VersionDB{ID: strings.Repeat("é", 64), VersionNo: "1", Platform: "版本", Revision: 4096}
	return []model.Found{
		{Exists: true, Record: libstdc},
		{},
		{Page: &model.Page{Items: []model.VersionDB{libstdc, other}, Next: other.ID}},
		{Page: &model.Page{Items: []model.VersionDB{}}},
		{Exists: true, Record: other},
		{History: &model.History{Items: sampleChanges(), Next: 4096, Complete: true}},
		{History: &model.History{Items: []model.Change{}}},
	}
}

func sampleChanges() []model.Change {
	return []model.Change{
		{Revision: 1<<53 - 1, Op: model.ChangeDelete, ID: "libstdc++6", Platform: "版本", At: 1_700_000_000_123, By: "ops"},
		{Revision: 8192, Op: model.ChangeUpdate, ID: "libstdc++6", VersionNo: "2", Platform: "版本", WasPlatform: "ios", Details: sampleDetails()[0]},
		{Revision: 4096, Op: model.ChangeCreate, ID: "libstdc++6", VersionNo: "1", Platform: "ios"},
	}
}

// A follower's clients get what the leader has, none of it shifted to another query.
func TestReadsComeBackAsTheyWere(t *testing.T) {
	for _, queries := range [][]model.Query{{}, {{ID: "a"}}, {{Candidates: &model.Candidates{Prefix: "app-"}}}, sampleQueries()} {
		got, err := DecodeQueries(AppendQueries(nil, queries))
		require.NoError(t, err)
		require.Equal(t, queries, got)
	}
	index, found, err := DecodeFound(AppendFound(nil, 42, sampleFound()))
	require.NoError(t, err)
	require.EqualValues(t, 42, index)
	require.Equal(t, sampleFound(), found)
}

// Half an answer is none, and nobody may be asked for more rows than fit into memory.
func TestDamagedReadsAreRefused(t *testing.T) {
	queries, found := AppendQueries(nil, sampleQueries()), AppendFound(nil, 300, sampleFound())
	for i := range queries {
		_, err := DecodeQueries(queries[:i])
		require.ErrorIs(t, err, model.ErrCorrupt, "%d bytes", i)
	}
	for i := range found {
		_, _, err := DecodeFound(found[:i])
		require.ErrorIs(t, err, model.ErrCorrupt, "%d bytes", i)
	}
	page := func(limit int) model.Query { return model.Query{Page: &model.ListOptions{Limit: limit}} }
	for name, data := range map[string][]byte{
		"left over":      append(queries, 0),
		"format":         {9, 0},
		"kind":           {formVersion, 1, 3},
		"many":           AppendQueries(nil, make([]model.Query, ReadsMax+1)),
		"a large page":   AppendQueries(nil, []model.Query{page(ReadsMax + 1)}),
		"an empty page":  AppendQueries(nil, []model.Query{page(0)}),
		"large together": AppendQueries(nil, []model.Query{page(ReadsMax), {ID: "a"}}),
	} {
		_, err := DecodeQueries(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
	large := model.Found{Page: &model.Page{Items: make([]model.VersionDB, ReadsMax/2+1)}}
	for name, data := range map[string][]byte{
		"left over":      append(found, 0),
		"format":         {9, 0, 0},
		"kind":           {formVersion, 1, 1, 3},
		"large together": AppendFound(nil, 1, []model.Found{large, large}),
	} {
		_, _, err := DecodeFound(data)
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

// FuzzDecodeReads looks for bytes that another node could send to break this one.
func FuzzDecodeReads(f *testing.F) {
	f.Add(AppendQueries(nil, sampleQueries()))
	f.Add(AppendFound(nil, 300, sampleFound()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if queries, err := DecodeQueries(data); err == nil {
			again, err := DecodeQueries(AppendQueries(nil, queries))
			require.NoError(t, err)
			require.Equal(t, queries, again)
		}
		if index, found, err := DecodeFound(data); err == nil {
			indexAgain, again, err := DecodeFound(AppendFound(nil, index, found))
			require.NoError(t, err)
			require.Equal(t, index, indexAgain)
			require.Equal(t, found, again)
		}
	})
}
