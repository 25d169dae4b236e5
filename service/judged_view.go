package service

import (
	"context"
	"fmt"

	"versiond/dao"
	"versiond/model"
	"versiond/service/state"
)

// judgedView is a view of every record, whatever its platform, that knows the running checksum of its
// moment. Whoever reads all of it, for a snapshot, a backup or the reload, thereby checks the store:
// nothing is made of records that the log did not make. It is read page by page from the first record on.
type judgedView struct {
	*dao.View
	service *VersionService
	want    state.Sum
	gen     uint64 // which loading of the store the view is of

	seen state.Sum
	// dedupSeen is set once seen has all dedup records.
	dedupSeen bool
	wrong     string // an id whose row is not the one that was applied; empty when none is known
}

// Page returns model.ErrStoreDiffers in place of the empty page at the end.
func (v *judgedView) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
	page, err := v.View.Page(ctx, after, "", limit)
	if err != nil {
		return nil, v.missing(err)
	}
	for i := range page {
		v.add(&page[i])
	}
	if len(page) == 0 {
		return nil, v.judge(ctx)
	}
	return page, nil
}

// DedupRecords counts what it gives.
func (v *judgedView) DedupRecords(ctx context.Context, after uint64, limit int) ([]model.DedupRecord, error) {
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

// seeDedupRecords reads them for whoever wanted the records alone.
func (v *judgedView) seeDedupRecords(ctx context.Context) error {
	for after := uint64(0); !v.dedupSeen; {
		page, err := v.DedupRecords(ctx, after, storePageSize)
		if err != nil {
			return err
		}
		if len(page) > 0 {
			after = page[len(page)-1].Revision
		}
	}
	return nil
}

func (v *judgedView) add(row *model.Version) {
	found := v.seen.Add(row)
	if current, exists := v.service.mysql.records.Get(row.ID); exists && current.Contradicts(found) {
		v.wrong = row.ID
	}
}

func (v *judgedView) judge(ctx context.Context) error {
	if err := v.seeDedupRecords(ctx); err != nil {
		return err
	}
	if v.seen == v.want {
		return nil
	}
	err := fmt.Errorf("%w: its rows make %s, the log makes %s%s", model.ErrStoreDiffers, v.seen.Checksum(), v.want.Checksum(), v.detail())
	v.service.distrust(v.gen, foundByReading, err)
	return err
}

func (v *judgedView) detail() string {
	at := fmt.Sprintf(" up to index %d", v.State().Applied.Index)
	if v.wrong != "" {
		at += fmt.Sprintf("; the row of %q is not the one that was applied", v.wrong)
	}
	return at
}

// missing notes that the table or the whole database is gone, or of another form, which is a difference too.
func (v *judgedView) missing(err error) error {
	v.service.distrustForm(v.gen, err)
	return err
}
