package integrity

import (
	"context"
	"errors"
	"fmt"

	"versiond/dao"
	"versiond/model"
	"versiond/raft"
	"versiond/service/state"
)

const restPageSize = 1000

// verifyingView is a view of every record, whatever its platform, that knows the running checksum of its
// moment. Whoever reads all of it, for a snapshot, a backup or the reload, thereby checks the store:
// nothing is made of records that the log did not make. It is read page by page from the first record on.
type verifyingView struct {
	*dao.View
	trust   *Trust
	records *state.Records
	want    state.Sum
	gen     uint64 // which loading of the store the view is of

	seen state.Sum
	// dedupSeen and changesSeen are set once seen has all dedup records, and all changes.
	dedupSeen, changesSeen bool
	wrong                  string // an id whose row is not the one that was applied; empty when none is known
}

// OpenView opens a consistent view of all records, on the applier's goroutine. An error that matches
// model.ErrStoreDiffers, here and when the view is read, has been seen to.
func (t *Trust) OpenView(ctx context.Context, store *dao.VersionMysqlDao, records *state.Records) (raft.StoreView, error) {
	view, err := store.OpenView(ctx)
	v := &verifyingView{trust: t, records: records, View: view, want: records.Sum(), gen: t.Gen()}
	if err == nil && view.Unlike() != nil {
		err = errors.Join(view.Unlike(), view.Close())
	}
	if err != nil {
		return nil, v.missing(err)
	}
	return v, nil
}

// Page returns model.ErrStoreDiffers in place of the empty page at the end.
func (v *verifyingView) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
	page, err := v.View.Page(ctx, model.ListOptions{After: after, Limit: limit})
	if err != nil {
		return nil, v.missing(err)
	}
	for i := range page {
		v.add(&page[i])
	}
	if len(page) == 0 {
		return nil, v.verify(ctx)
	}
	return page, nil
}

// DedupRecords counts what it returns.
func (v *verifyingView) DedupRecords(ctx context.Context, after uint64, limit int) ([]model.DedupRecord, error) {
	page, err := v.View.DedupRecords(ctx, after, limit)
	if err != nil {
		return nil, v.missing(err)
	}
	for i := range page {
		v.seen.AddDedup(&page[i])
	}
	v.dedupSeen = v.dedupSeen || len(page) == 0
	return page, nil
}

// ChangesAfter counts what it returns.
func (v *verifyingView) ChangesAfter(ctx context.Context, revision uint64, limit int) ([]model.Change, error) {
	page, err := v.View.ChangesAfter(ctx, revision, limit)
	if err != nil {
		return nil, v.missing(err)
	}
	for i := range page {
		v.seen.AddChange(&page[i])
	}
	v.changesSeen = v.changesSeen || len(page) == 0
	return page, nil
}

// seeRest reads the dedup records and the changes for whoever wanted the records alone.
func (v *verifyingView) seeRest(ctx context.Context) error {
	for after := uint64(0); !v.dedupSeen; {
		page, err := v.DedupRecords(ctx, after, restPageSize)
		if err != nil {
			return err
		}
		if len(page) > 0 {
			after = page[len(page)-1].Revision
		}
	}
	for after := uint64(0); !v.changesSeen; {
		page, err := v.ChangesAfter(ctx, after, restPageSize)
		if err != nil {
			return err
		}
		if len(page) > 0 {
			after = page[len(page)-1].Revision
		}
	}
	return nil
}

func (v *verifyingView) add(row *model.Version) {
	found := v.seen.Add(row)
	if current, exists := v.records.Get(row.ID); exists && current.Contradicts(found) {
		v.wrong = row.ID
	}
}

func (v *verifyingView) verify(ctx context.Context) error {
	if err := v.seeRest(ctx); err != nil {
		return err
	}
	v.seen.SetChangesFrom(v.ChangesFrom())
	if v.seen == v.want {
		return nil
	}
	err := fmt.Errorf("%w: its rows have the checksum %s, the log makes %s%s", model.ErrStoreDiffers, v.seen.Checksum(), v.want.Checksum(), v.detail())
	v.trust.quarantine(v.gen, foundByReading, err)
	return err
}

func (v *verifyingView) detail() string {
	at := fmt.Sprintf(" up to index %d", v.State().Applied.Index)
	if v.wrong != "" {
		at += fmt.Sprintf("; the row of %q is not the one that was applied", v.wrong)
	}
	return at
}

// missing notes that the table or the whole database is gone, or of another form, which is a difference too.
func (v *verifyingView) missing(err error) error {
	v.trust.foundInForm(v.gen, err)
	return err
}
