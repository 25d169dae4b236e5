package restore

import (
	"bytes"
	"context"
	"hash/crc32"
	"testing"

	hashicorp "github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/snapshot"
	"versiond/wire"
)

// What is open must follow from the log alone, and end in each of these ways: otherwise nodes load different records,
// or never take a snapshot again.
func TestOpenRestoreFollowsFromTheLog(t *testing.T) {
	sum := crc32.Checksum([]byte("abcd"), snapshot.Castagnoli)
	begin := &model.RestoreStep{Type: model.CommandRestoreBegin, Records: 3, Bytes: 4, Checksum: sum}
	chunk := func(begin uint64, data string) *model.RestoreStep {
		return &model.RestoreStep{Type: model.CommandRestoreChunk, Begin: begin, Data: []byte(data)}
	}
	commit := &model.RestoreStep{Type: model.CommandRestoreCommit, Begin: 10}
	var none *Open
	whole := none.After(10, begin).After(11, chunk(10, "ab")).After(15, chunk(9, "xx")).After(20, chunk(10, "cd"))
	require.True(t, whole.Whole(21, commit))
	require.Equal(t, []uint64{11, 20}, whole.chunks)
	require.True(t, whole.Whole(20+lapses, commit), "just in time")
	require.Nil(t, whole.After(21, commit), "it is over")

	require.Nil(t, none.After(11, chunk(10, "ab")), "without a beginning")
	require.False(t, none.Whole(12, commit))
	abort := func(begin uint64) *model.RestoreStep {
		return &model.RestoreStep{Type: model.CommandRestoreAbort, Begin: begin}
	}
	for name, o := range map[string]*Open{
		"a part is missing":        none.After(10, begin).After(11, chunk(10, "ab")),
		"a part came twice":        none.After(10, begin).After(11, chunk(10, "ab")).After(12, chunk(10, "ab")).After(13, chunk(10, "cd")),
		"they came in other order": none.After(10, begin).After(11, chunk(10, "cd")).After(12, chunk(10, "ab")),
		"given up":                 none.After(10, begin).After(11, chunk(10, "abcd")).After(12, abort(10)),
		"another one has begun":    none.After(10, begin).After(11, chunk(10, "abcd")).After(12, begin),
		"a part came too late":     none.After(10, begin).After(11+lapses, chunk(10, "abcd")),
	} {
		require.False(t, o.Whole(14, commit), name)
	}
	o := none.After(10, begin).After(11, chunk(10, "abcd"))
	require.False(t, o.Whole(12+lapses, commit), "too late")
	require.Nil(t, o.At(12+lapses), "which lets snapshots be taken again")
	require.True(t, o.After(12, abort(9)).Whole(13, commit), "another one was given up")
	require.NotNil(t, (&Open{begin: 101, last: 200}).At(150), "asked of a place before its last step")

	foreign := *begin
	foreign.Foreign, foreign.Records = true, model.CommandsPerEntryMax+1
	o = none.After(10, &foreign).After(11, chunk(10, "abcd"))
	require.False(t, o.Whole(14, commit), "one entry has no revisions for so many")
}

// view is what a backup is made of.
type view struct{ snapshot.View }

func (view) Page(_ context.Context, after string, _ int) ([]model.Version, error) {
	if after != "" {
		return nil, nil
	}
	return []model.Version{{ID: "a", VersionNo: "2", Platform: "ios", Revision: 8192}}, nil
}

func (view) DedupRecords(context.Context, uint64, int) ([]model.DedupRecord, error) { return nil, nil }

func (view) ChangesFrom() uint64 { return 4096 }

var history = []model.Change{{Revision: 4097, Op: model.ChangeCreate, ID: "a", VersionNo: "1", Platform: "ios"}, {Revision: 8192, Op: model.ChangeUpdate, ID: "a", VersionNo: "2", Platform: "ios"}}

func (view) ChangesAfter(_ context.Context, revision uint64, _ int) ([]model.Change, error) {
	if revision > 0 {
		return nil, nil
	}
	return history, nil
}

// The changes of a backup are those of its own cluster alone, and history: a watcher who was told of others since must not
// take up where they end. Where no changes are kept, none come.
func TestChangesOfABackupAreHistory(t *testing.T) {
	var data bytes.Buffer
	require.NoError(t, snapshot.Write(t.Context(), &data, view{}))
	logs := hashicorp.NewInmemStore()
	chunk := model.RestoreStep{Type: model.CommandRestoreChunk, Begin: 10, Data: data.Bytes()}
	require.NoError(t, logs.StoreLog(&hashicorp.Log{Index: 11, Data: wire.AppendRestoreStep(nil, &chunk)}))
	for name, c := range map[string]struct {
		foreign bool
		from    uint64
		changes []model.Change
	}{
		"own":                  {false, 49152, history},
		"own, none kept":       {false, 0, nil},
		"a foreign one":        {true, 49152, nil},
		"a foreign, none kept": {true, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			begin := model.RestoreStep{Type: model.CommandRestoreBegin, Records: 1, Bytes: uint64(data.Len()), Foreign: c.foreign}
			open := (*Open)(nil).After(10, &begin).After(11, &chunk)
			require.NoError(t, open.Load(logs, c.from, func(source Source) error {
				from, err := source.ChangesFrom()
				require.NoError(t, err)
				require.Equal(t, c.from, from)
				var got []model.Change
				each, err := source.NextChange()
				for ; err == nil; each, err = source.NextChange() {
					got = append(got, each)
				}
				require.True(t, snapshot.IsEnd(err))
				require.Equal(t, c.changes, got)
				record, err := source.NextRecord()
				require.Equal(t, "a", record.ID)
				return err
			}))
		})
	}
}
