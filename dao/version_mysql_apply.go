package dao

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"versiond/failpoint"
	"versiond/model"
)

// idsPerDeleteMax stays below the 1,000 at which MariaDB turns a list into a temporary table.
const idsPerDeleteMax = 500

// Changes is what one transaction does to the tables.
type Changes struct {
	// An id may be in only one of the two.
	Upserts []model.Version
	Deletes []string
	// Memories are new; those up to the revision ForgetThrough are removed, 0 for none.
	Memories      []model.Memory
	ForgetThrough uint64
}

// Apply makes the changes and moves the state row from from to to, all in one transaction.
//
// It returns model.ErrStateMoved, and has changed nothing, when the state row is not from in every part, or
// the tables are not as this node left them. After any other error it is not known whether the transaction
// was committed: State tells.
func (d *VersionMysqlDao) Apply(ctx context.Context, from, to model.StoreState, changes Changes) error {
	// The session's isolation level will do, and saves a round trip: nothing is read here but by the
	// conditional update, which sees the newest committed row on every level.
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := changes.write(tx); err != nil {
			return err
		}
		failpoint.Here(failpoint.ApplyWritten)
		err := moveState(tx, from, to)
		failpoint.Here(failpoint.ApplyMoved)
		return err
	})
	return d.translateWrite(ctx, "applying", err)
}

func (c *Changes) write(tx *gorm.DB) error {
	if err := upsertVersions(tx, c.Upserts); err != nil {
		return err
	}
	if err := deleteVersions(tx, c.Deletes); err != nil {
		return err
	}
	if err := insertMemories(tx, c.Memories); err != nil {
		return err
	}
	return forgetThrough(tx, c.ForgetThrough)
}

// upsertVersions writes rows, many with each statement.
func upsertVersions(tx *gorm.DB, versions []model.Version) error {
	d := dialectOf(tx)
	for len(versions) > 0 {
		n := d.rowsThatFit(len(versions), func(i int) int { return len(versions[i].ID) + len(versions[i].VersionNo) + len(versions[i].Platform) })
		places := "(?, ?, ?, ?)" + strings.Repeat(", (?, ?, ?, ?)", n-1)
		if err := tx.Exec(d.upsert+places+d.upsertEnd, values(versions[:n])...).Error; err != nil {
			return err
		}
		versions = versions[n:]
	}
	return nil
}

func values(versions []model.Version) []any {
	args := make([]any, 0, len(versions)*versionColumnCount)
	for _, v := range versions {
		args = append(args, v.ID, v.VersionNo, v.Platform, v.Revision)
	}
	return args
}

func deleteVersions(tx *gorm.DB, ids []string) error {
	d := dialectOf(tx)
	for len(ids) > 0 {
		n := d.rowsThatFit(min(idsPerDeleteMax, len(ids)), func(i int) int { return len(ids[i]) })
		if err := tx.Exec("DELETE FROM versions WHERE id IN ?", ids[:n]).Error; err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}
