package service

import (
	"context"
	"errors"
	"io"

	"versiond/failpoint"
	"versiond/model"
	"versiond/raft"
	"versiond/service/state"
)

// restore replaces all rows by those of next. Until the last step the state row says that a
// restore goes on, so that a crash cannot leave half of it in use.
func (s *VersionMysqlService) restore(ctx context.Context, identity model.Identity, at model.Position, source raft.Source) error {
	if err := s.mysqlDao.BeginRestore(ctx, identity); err != nil {
		return err
	}
	failpoint.Here(failpoint.RestoreMarked)
	s.records.Clear()
	if err := s.mysqlDao.DeleteAll(ctx); err != nil {
		return err
	}
	failpoint.Here(failpoint.RestoreCleared)
	var sum state.Sum
	if err := insertAll(ctx, source.NextDedupRecord, s.mysqlDao.InsertDedupRecords, sum.AddDedup); err != nil {
		return err
	}
	from, err := source.ChangesFrom()
	if err != nil {
		return err
	}
	sum.SetChangesFrom(from)
	addChange := func(c *model.Change) { sum.AddChange(c) }
	if err := insertAll(ctx, source.NextChange, s.mysqlDao.InsertChanges, addChange); err != nil {
		return err
	}
	addRow := func(v *model.Version) { sum.Add(v) }
	if err := insertAll(ctx, source.NextRecord, s.mysqlDao.InsertBatch, addRow); err != nil {
		return err
	}
	failpoint.Here(failpoint.RestoreFilled)
	err = s.mysqlDao.FinishRestore(ctx, identity, at, sum.Checksum(), from)
	failpoint.Here(failpoint.RestoreFinished)
	return err
}

// insertAll passes on what next returns until io.EOF, each to add and many at once to insert.
func insertAll[T any](ctx context.Context, next func() (T, error), insert func(context.Context, []T) error, add func(*T)) error {
	batch := make([]T, 0, storePageSize)
	for {
		each, err := next()
		if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, model.ErrCorrupt) {
			return err
		}
		if err == nil {
			add(&each)
			batch = append(batch, each)
		}
		if len(batch) == storePageSize || err != nil && len(batch) > 0 {
			if err := insert(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
		if err != nil {
			return nil
		}
	}
}
