package dao

import (
	"context"

	"gorm.io/gorm"

	"versiond/model"
)

const dedupRecordsPerPage = 1000

// ForEachDedupRecord calls fn with every dedup record in their order, in flat memory.
func (d *VersionMysqlDao) ForEachDedupRecord(ctx context.Context, fn func(model.DedupRecord) error) error {
	return eachPage(func(after uint64) ([]model.DedupRecord, error) {
		return d.dedup(ctx, d.DB, after, dedupRecordsPerPage)
	}, func(m model.DedupRecord) uint64 { return m.Revision }, fn)
}

// eachPage calls fn with each row of pages that begin behind a revision, until one is empty.
func eachPage[Row any](page func(after uint64) ([]Row, error), revision func(Row) uint64, fn func(Row) error) error {
	for after := uint64(0); ; {
		rows, err := page(after)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := fn(row); err != nil {
				return err
			}
		}
		after = revision(rows[len(rows)-1])
	}
}

// InsertDedupRecords writes dedup records of the snapshot that is being restored, in one transaction. Writing the
// same ones again changes nothing. It returns model.ErrStateMoved when the table is gone.
func (d *VersionMysqlDao) InsertDedupRecords(ctx context.Context, list []model.DedupRecord) error {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return insertDedupRecords(tx, list) })
	return d.translateWrite(ctx, "writing restored dedup records", err)
}

func insertDedupRecords(tx *gorm.DB, list []model.DedupRecord) error {
	rows := make([]dedupRow, len(list))
	for i := range list {
		m := &list[i]
		rows[i] = dedupRow{Revision: m.Revision, KeyHash: m.Key[:], RequestHash: m.Request[:], Outcomes: []byte(m.Outcomes)}
	}
	bytes := func(row dedupRow) int { return len(row.KeyHash) + len(row.RequestHash) + len(row.Outcomes) }
	return inStatements(tx, rows, bytes, func(part []dedupRow) *gorm.DB { return upsert(tx, part) })
}

// DedupRecords returns up to limit dedup records with revisions above after, as of the view's moment.
func (v *View) DedupRecords(ctx context.Context, after uint64, limit int) ([]model.DedupRecord, error) {
	return v.dao.dedup(ctx, v.tx, after, limit)
}

// dedup takes hashes of another length, which only another hand can have written, for what their
// first bytes say: the checksum tells.
func (d *VersionMysqlDao) dedup(ctx context.Context, tx *gorm.DB, after uint64, limit int) ([]model.DedupRecord, error) {
	rows := make([]dedupRow, 0, limit)
	if err := tx.WithContext(ctx).Where("revision > ?", after).Order("revision").Limit(limit).Find(&rows).Error; err != nil {
		return nil, d.translate(ctx, "reading dedup records", err)
	}
	list := make([]model.DedupRecord, len(rows))
	for i, row := range rows {
		list[i] = model.DedupRecord{Revision: row.Revision, Outcomes: string(row.Outcomes)}
		copy(list[i].Key[:], row.KeyHash)
		copy(list[i].Request[:], row.RequestHash)
	}
	return list, nil
}
