package dao

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"gorm.io/gorm"

	"versiond/model"
)

// The outcomes of one statement's memories are bounded too: a batch can have 10 kB of them.
const (
	memoriesPerInsertMax    = 1000
	memoryBytesPerInsertMax = 1 << 20
	memoriesPerClearMax     = 5000
)

const (
	memoryColumns            = "revision, key_hash, request_hash, outcomes"
	insertMemoriesSQL        = "INSERT INTO versiond_memories (" + memoryColumns + ") VALUES (?, ?, ?, ?)"
	deleteMemoriesThroughSQL = "DELETE FROM versiond_memories WHERE revision <= ?"
)

// ForEachMemory calls fn with every memory in their order, in flat memory.
func (d *VersionMysqlDao) ForEachMemory(ctx context.Context, fn func(model.Memory) error) error {
	for after := uint64(0); ; {
		page, err := d.memories(ctx, d.DB, after, memoriesPerInsertMax)
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
	d := dialectOf(tx)
	onConflict := d.onConflict("revision", []string{"key_hash", "request_hash", "outcomes"})
	for len(list) > 0 {
		n := d.rowsThatFit(memoriesThatFit(list), func(i int) int { return len(list[i].Key) + len(list[i].Request) + len(list[i].Outcomes) })
		args := make([]any, 0, n*4)
		for i := range list[:n] {
			m := &list[i]
			args = append(args, m.Revision, m.Key[:], m.Request[:], []byte(m.Outcomes))
		}
		statement := insertMemoriesSQL + strings.Repeat(", (?, ?, ?, ?)", n-1) + onConflict
		if err := tx.Exec(statement, args...).Error; err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// memoriesThatFit gives how many memories, from the first on, one statement takes.
func memoriesThatFit(list []model.Memory) int {
	n, bytes := 0, 0
	for n < len(list) && n < memoriesPerInsertMax {
		if bytes += len(list[n].Outcomes); n > 0 && bytes > memoryBytesPerInsertMax {
			break
		}
		n++
	}
	return n
}

// forgetThrough removes the memories up to a revision, 0 for none.
func forgetThrough(tx *gorm.DB, revision uint64) error {
	if revision == 0 {
		return nil
	}
	return tx.Exec(deleteMemoriesThroughSQL, revision).Error
}

// deleteAllMemories does so in batches of which each is a transaction.
func deleteAllMemories(tx *gorm.DB) error {
	for {
		var last uint64
		err := tx.Raw("SELECT revision FROM versiond_memories ORDER BY revision LIMIT 1 OFFSET ?", memoriesPerClearMax-1).Row().Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return tx.Exec("DELETE FROM versiond_memories").Error
		}
		if err != nil {
			return err
		}
		if err := tx.Exec(deleteMemoriesThroughSQL, last).Error; err != nil {
			return err
		}
	}
}

// Memories gives up to limit memories with revisions above after, as of the view's moment.
func (v *View) Memories(ctx context.Context, after uint64, limit int) ([]model.Memory, error) {
	return v.dao.memories(ctx, v.tx, after, limit)
}

func (d *VersionMysqlDao) memories(ctx context.Context, tx *gorm.DB, after uint64, limit int) ([]model.Memory, error) {
	const op = "reading memories"
	rows, err := tx.WithContext(ctx).Raw("SELECT "+memoryColumns+" FROM versiond_memories WHERE revision > ? ORDER BY revision LIMIT ?", after, limit).Rows()
	if err != nil {
		return nil, d.translate(ctx, op, err)
	}
	defer rows.Close()
	list, err := scanMemories(ctx, rows)
	return list, d.translate(ctx, op, err)
}

// scanMemories takes hashes of another length, which only another hand can have written, for what their
// first bytes say: the checksum tells.
func scanMemories(ctx context.Context, rows *sql.Rows) (list []model.Memory, err error) {
	var key, request, outcomes sql.RawBytes
	for rows.Next() {
		var m model.Memory
		if err := scan(ctx, rows, &m.Revision, &key, &request, &outcomes); err != nil {
			return nil, err
		}
		copy(m.Key[:], key)
		copy(m.Request[:], request)
		m.Outcomes = string(outcomes)
		list = append(list, m)
	}
	return list, rows.Err()
}
