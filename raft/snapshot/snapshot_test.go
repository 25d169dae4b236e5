package snapshot

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/wire"
)

func mustSnapshotBytes(t testing.TB, records, dedup int) []byte {
	t.Helper()
	view := &listView{dedup: someDedupRecords(dedup)}
	for i := range records {
		id := fmt.Sprintf("id-%05d", i)
		view.records = append(view.records, model.Version{ID: id, VersionNo: fmt.Sprint(i), Platform: "linux", Revision: uint64(i+1) << 13})
	}
	var b bytes.Buffer
	require.NoError(t, Write(context.Background(), &b, view))
	return b.Bytes()
}

func someDedupRecords(count int) (list []model.DedupRecord) {
	for i := range count {
		outcomes := []model.Outcome{{Code: model.OutcomeDone, Revision: model.Revision(uint64(i+1), 0)}, {Code: model.OutcomeAlreadyExists, Revision: 4096}}
		list = append(list, model.DedupRecord{
			Idempotency: *wire.NewIdempotency(fmt.Sprint(i), &model.Unit{}, false), Revision: model.Revision(uint64(i+1), 0), Outcomes: wire.PackOutcomes(outcomes),
		})
	}
	return list
}

func readSnapshot(data []byte) (records []model.Version, err error) {
	reader, err := NewReader(io.NopCloser(bytes.NewReader(data)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		v, err := reader.NextRecord()
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
	for _, count := range []int{0, 1, PageSize, 2*PageSize + 7} {
		records, err := readSnapshot(mustSnapshotBytes(t, count, count%9))
		require.NoError(t, err)
		require.Len(t, records, count)
		for i, v := range records {
			require.Equal(t, model.Version{ID: fmt.Sprintf("id-%05d", i), VersionNo: fmt.Sprint(i), Platform: "linux", Revision: uint64(i+1) << 13}, v)
		}
	}
}

// What is remembered comes before the records, over more than one page and with none at all.
func TestSnapshotKeepsEveryDedupRecord(t *testing.T) {
	for _, count := range []int{0, 1, 2*PageSize + 7} {
		reader, err := NewReader(io.NopCloser(bytes.NewReader(mustSnapshotBytes(t, 3, count))))
		require.NoError(t, err)
		var got []model.DedupRecord
		m, err := reader.NextDedupRecord()
		for ; err == nil; m, err = reader.NextDedupRecord() {
			got = append(got, m)
		}
		require.True(t, IsEnd(err))
		require.Equal(t, someDedupRecords(count), got)
		v, err := reader.NextRecord()
		require.NoError(t, err)
		require.Equal(t, "id-00000", v.ID)
		require.NoError(t, reader.Close())
	}
}

// A snapshot in which a record has lost what it says beyond its three fields would pass for whole.
func TestSnapshotKeepsDetails(t *testing.T) {
	nobody := uint8(0)
	want := []model.Version{
		{ID: "a", VersionNo: "1", Platform: "ios", Revision: 4096},
		{ID: "b", VersionNo: "1.4.0", Platform: "ios", Revision: 8192, Details: &model.Details{
			Scheme: "semver", MinVersionNo: "1.2.0", RolloutPercent: &nobody, Attributes: map[string]string{"url": "https://example.org"}}},
		{ID: "c", VersionNo: "1", Platform: "ios", Revision: 12288, Details: &model.Details{Withdrawn: true}},
	}
	var file bytes.Buffer
	require.NoError(t, Write(t.Context(), &file, &listView{records: want}))
	got, err := readSnapshot(file.Bytes())
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func someChanges(count int) (list []model.Change) {
	for i := range count {
		c := model.Change{Revision: model.Revision(uint64(i+1), 1), Op: model.ChangeCreate, ID: fmt.Sprint("id-", i), VersionNo: "1.0", Platform: "linux", At: 1_700_000_000_123, By: "ci"}
		switch i % 3 {
		case 1:
			c.Op, c.WasPlatform, c.At, c.By, c.Details = model.ChangeUpdate, "ios", 0, "", &model.Details{Withdrawn: true}
		case 2:
			c.Op, c.VersionNo = model.ChangeDelete, ""
		}
		list = append(list, c)
	}
	return list
}

// changesView has all that a snapshot may hold.
func changesView(changes int) *listView {
	return &listView{dedup: someDedupRecords(2), changes: someChanges(changes), from: 4099,
		records: []model.Version{{ID: "a", VersionNo: "1", Platform: "ios", Revision: 4096}}}
}

// Changes and from where on they are kept come between what is remembered and the records, over more than one page and with
// none at all, and may be passed over.
func TestSnapshotKeepsChanges(t *testing.T) {
	for _, count := range []int{0, 1, 2*PageSize + 7} {
		var file bytes.Buffer
		view := changesView(count)
		require.NoError(t, Write(t.Context(), &file, view))
		reader, err := NewReader(io.NopCloser(bytes.NewReader(file.Bytes())))
		require.NoError(t, err)
		from, err := reader.ChangesFrom()
		require.NoError(t, err)
		require.EqualValues(t, 4099, from)
		var got []model.Change
		c, err := reader.NextChange()
		for ; err == nil; c, err = reader.NextChange() {
			got = append(got, c)
		}
		require.True(t, IsEnd(err), err)
		require.Equal(t, view.changes, got)
		v, err := reader.NextRecord()
		require.NoError(t, err)
		require.Equal(t, view.records[0], v)
		records, err := readSnapshot(file.Bytes())
		require.NoError(t, err)
		require.Equal(t, view.records, records)
	}
}

// What this release has written must load for ever. Change the file only together with the numbers of the form.
func TestSnapshotsWithChangesAreRead(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "snapshot-with-changes.hex"))
	require.NoError(t, err)
	whole, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	reader, err := NewReader(io.NopCloser(bytes.NewReader(whole)))
	require.NoError(t, err)
	var got listView
	got.from, err = reader.ChangesFrom()
	require.NoError(t, err)
	for c, err := reader.NextChange(); err == nil; c, err = reader.NextChange() {
		got.changes = append(got.changes, c)
	}
	v, err := reader.NextRecord()
	for ; err == nil; v, err = reader.NextRecord() {
		got.records = append(got.records, v)
	}
	require.True(t, IsEnd(err), err)
	want := changesView(5)
	require.Equal(t, listView{from: want.from, changes: want.changes, records: want.records}, got)
}

// Snapshots and backups of a release that remembered nothing must load for ever.
func TestSnapshotsOfOlderReleasesAreRead(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "snapshot-without-dedup-records.hex"))
	require.NoError(t, err)
	old, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	want, err := readSnapshot(mustSnapshotBytes(t, 3, 0))
	require.NoError(t, err)
	got, err := readSnapshot(old)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// A torn or altered snapshot must be refused, wherever the damage is: what it would restore is
// wrong data on a node that believes itself current.
func TestDamagedSnapshotIsRefused(t *testing.T) {
	whole := mustSnapshotBytes(t, 50, 5)
	var withChanges bytes.Buffer
	require.NoError(t, Write(t.Context(), &withChanges, changesView(20)))
	requireDamageIsRefused(t, whole)
	requireDamageIsRefused(t, withChanges.Bytes())
}

func requireDamageIsRefused(t *testing.T, whole []byte) {
	t.Helper()
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
	f.Add(mustSnapshotBytes(f, 3, 0))
	f.Add(mustSnapshotBytes(f, 3, 2))
	var withChanges bytes.Buffer
	require.NoError(f, Write(context.Background(), &withChanges, changesView(5)))
	f.Add(withChanges.Bytes())
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readSnapshot(data) // it must come to an end, without a panic and in little memory
	})
}

// listView shows what it holds, in the order in which it holds it.
type listView struct {
	View
	records []model.Version
	dedup   []model.DedupRecord
	changes []model.Change
	from    uint64
}

func (v *listView) ChangesFrom() uint64 { return v.from }

func (v *listView) ChangesAfter(_ context.Context, revision uint64, limit int) ([]model.Change, error) {
	from := slices.IndexFunc(v.changes, func(c model.Change) bool { return c.Revision > revision })
	if from < 0 {
		return nil, nil
	}
	return v.changes[from:min(from+limit, len(v.changes))], nil
}

func (v *listView) Page(_ context.Context, after string, limit int) ([]model.Version, error) {
	from := slices.IndexFunc(v.records, func(r model.Version) bool { return r.ID > after })
	if from < 0 {
		return nil, nil
	}
	return v.records[from:min(from+limit, len(v.records))], nil
}

func (v *listView) DedupRecords(_ context.Context, after uint64, limit int) ([]model.DedupRecord, error) {
	from := slices.IndexFunc(v.dedup, func(m model.DedupRecord) bool { return m.Revision > after })
	if from < 0 {
		return nil, nil
	}
	return v.dedup[from:min(from+limit, len(v.dedup))], nil
}

func (*listView) Close() error { return nil }

// unreadable is a file that the disk cannot read at the moment.
type unreadable struct{}

func (unreadable) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: "state.bin", Err: syscall.EIO}
}

// A disk that fails for a moment is no damage, for which an operator has to empty a directory.
func TestDiskThatFailsIsNoDamage(t *testing.T) {
	whole := mustSnapshotBytes(t, 3*PageSize, 5)
	for _, has := range []int{0, len(whole) / 2, len(whole) - 1} {
		reader, err := NewReader(io.NopCloser(io.MultiReader(bytes.NewReader(whole[:has]), unreadable{})))
		for err == nil {
			_, err = reader.NextRecord()
		}
		require.ErrorIs(t, err, syscall.EIO)
		require.NotErrorIs(t, err, model.ErrCorrupt)
	}
}
