package restore

import (
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/snapshot"
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
