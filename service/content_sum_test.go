package service

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// The running checksum must be that of the rows after any history: of groups, of decisions that are
// given up and made again, and of restores. If it is not, a healthy node is taken for a broken one.
func TestRunningSumIsThatOfTheRows(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			a, random := mustApplied(t), rand.New(rand.NewPCG(seed, 1))
			for rest := randomEntries(seed, 90); len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(6))
				switch random.IntN(4) {
				case 0:
					a.giveUp(rest[0])
				case 1:
					a.restoreItself(t)
				}
				a.group(t, rest[:n]...)
				rest = rest[n:]
				a.rows(t) // compares
			}
		})
	}
}

// giveUp decides commands as if they were to be applied, and discards what came of it.
func (a *applied) giveUp(commands []model.Command) {
	for position, c := range commands {
		a.dispatch(c, model.Revision(a.at.Index+1, position))
	}
	a.DiscardInternal()
}

// restoreItself replaces the records by themselves, as loading a snapshot of this moment does.
func (a *applied) restoreItself(t *testing.T) {
	t.Helper()
	var all []model.Version
	for _, row := range a.rows(t) {
		all = append(all, row)
	}
	before := a.mysql.sum
	next := func() (model.Version, error) {
		if len(all) == 0 {
			return model.Version{}, io.EOF
		}
		v := all[0]
		all = all[1:]
		return v, nil
	}
	require.NoError(t, a.RestoreInternal(t.Context(), a.identity, a.at, recordsOnly(next)))
	require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
	require.Equal(t, before, a.mysql.sum, "the order in which records come must not matter")
}

// A checksum that misses a field, or takes one field's end for the beginning of the next, misses
// changes there. The number must never change: it is stored, and nodes of several releases compare it.
func TestRowHash(t *testing.T) {
	base := model.Version{ID: "a", VersionNo: "b", Platform: "c", Revision: 1}
	require.Equal(t, uint64(0x259a53f20717f56), rowHash(&base))
	others := []model.Version{
		{ID: "x", VersionNo: "b", Platform: "c", Revision: 1},
		{ID: "a", VersionNo: "x", Platform: "c", Revision: 1},
		{ID: "a", VersionNo: "b", Platform: "x", Revision: 1},
		{ID: "a", VersionNo: "b", Platform: "c", Revision: 2},
		{ID: "ab", VersionNo: "", Platform: "c", Revision: 1},
		{ID: "a", VersionNo: "bc", Platform: "", Revision: 1},
		{ID: "b", VersionNo: "a", Platform: "c", Revision: 1},
	}
	for _, other := range others {
		require.NotEqual(t, rowHash(&base), rowHash(&other), other)
	}
}

// What was changed while the node was down must not be taken for what the log made of it.
func TestLoadFindsWhatWasChangedMeanwhile(t *testing.T) {
	for name, statement := range map[string]string{
		"a row changed":            "UPDATE versions SET version_no = 'forged' WHERE id = 'a'",
		"a row deleted":            "DELETE FROM versions WHERE id = 'a'",
		"a row added":              "INSERT INTO versions (id, version_no, platform, revision) VALUES ('c', '1', 'linux', 1)",
		"two contents interchange": "UPDATE versions SET version_no = CASE id WHEN 'a' THEN '2' ELSE '1' END",
	} {
		t.Run(name, func(t *testing.T) {
			a := mustApplied(t)
			a.group(t, []model.Command{add("a", "1"), add("b", "2")})
			require.NoError(t, a.LoadInternal(t.Context(), a.identity.Cluster))
			require.NoError(t, a.mysql.mysqlDao.DB.Exec(statement).Error)
			require.ErrorIs(t, a.LoadInternal(t.Context(), a.identity.Cluster), model.ErrStoreDiffers)
		})
	}
}

// indexBytesMax is what a record may cost in the index, an id of a usual length included: the heap may
// grow to twice that before it is collected, and the whole is to stay below 150.
const indexBytesMax = 85

// A registry of millions of records must fit; an index that has just grown is the worst case.
func TestRevisionIndexMemory(t *testing.T) {
	var worst float64
	for _, records := range []int{100_000, 115_000, 130_000, 150_000, 200_000} {
		ids := make([]string, records)
		for i := range ids {
			ids[i] = fmt.Sprintf("package-%012d", i) // 20 bytes
		}
		before := heapBytes()
		x := newRevisionIndex()
		for i, id := range ids {
			x.set(id, mark{uint64(i), uint64(i)})
		}
		worst = max(worst, float64(heapBytes()-before)/float64(records))
		require.Equal(t, records, x.size())
		runtime.KeepAlive(ids)
	}
	t.Logf("at most %.0f bytes a record", worst)
	require.Less(t, worst, float64(indexBytesMax))
}

func heapBytes() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func BenchmarkRowHash(b *testing.B) {
	v := model.Version{ID: "package-000000000042", VersionNo: "1.22.333", Platform: "linux/amd64", Revision: 1 << 40}
	b.ReportAllocs()
	for b.Loop() {
		rowHash(&v)
	}
}
