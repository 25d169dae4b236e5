package dao

import (
	"context"

	"gorm.io/gorm"

	"versiond/model"
)

const memoriesPerPage = 1000

// ForEachMemory calls fn with every memory in their order, in flat memory.
func (d *VersionMysqlDao) ForEachMemory(ctx context.Context, fn func(model.Memory) error) error {
	for after := uint64(0); ; {
		page, err := d.memories(ctx, d.DB, after, memoriesPerPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if err := fn(m); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Revision
	}
}

// InsertMemories writes memories of the snapshot that is being restored, in one transaction. Writing the
// same ones again changes nothing. It returns model.ErrStateMoved when the table is gone.
func (d *VersionMysqlDao) InsertMemories(ctx context.Context, list []model.Memory) error {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return insertMemories(tx, list) })
	return d.translateWrite(ctx, "writing restored memories", err)
}

func insertMemories(tx *gorm.DB, list []model.Memory) error {
	rows := make([]memoryRow, len(list))
	for i := range list {
		m := &list[i]
		rows[i] = memoryRow{Revision: m.Revision, KeyHash: m.Key[:], RequestHash: m.Request[:], Outcomes: []byte(m.Outcomes)}
	}
	bytes := func(row memoryRow) int { return len(row.KeyHash) + len(row.RequestHash) + len(row.Outcomes) }
	return inStatements(tx, rows, bytes, func(part []memoryRow) *gorm.DB { return upsert(tx, part) })
}

// forgetThrough removes the memories up to a revision, 0 for none.
func forgetThrough(tx *gorm.DB, revision uint64) error {
	if revision == 0 {
		return nil
	}
	return tx.Where("revision <= ?", revision).Delete(&memoryRow{}).Error
}

// Memories gives up to limit memories with revisions above after, as of the view's moment.
func (v *View) Memories(ctx context.Context, after uint64, limit int) ([]model.Memory, error) {
	return v.dao.memories(ctx, v.tx, after, limit)
}

// memories takes hashes of another length, which only another hand can have written, for what their
// first bytes say: the checksum tells.
func (d *VersionMysqlDao) memories(ctx context.Context, tx *gorm.DB, after uint64, limit int) ([]model.Memory, error) {
	rows := make([]memoryRow, 0, limit)
	if err := tx.WithContext(ctx).Where("revision > ?", after).Order("revision").Limit(limit).Find(&rows).Error; err != nil {
		return nil, d.translate(ctx, "reading memories", err)
	}
	list := make([]model.Memory, len(rows))
	for i, row := range rows {
		list[i] = model.Memory{Revision: row.Revision, Outcomes: string(row.Outcomes)}
		copy(list[i].Key[:], row.KeyHash)
		copy(list[i].Request[:], row.RequestHash)
	}
	return list, nil
}
