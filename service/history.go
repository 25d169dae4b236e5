package service

import (
	"context"
	"errors"

	"versiond/dao"
	"versiond/model"
)

// changesFloor returns the revision after which every change is kept, as readers may see it; 0 while none are.
func (s *VersionMysqlService) changesFloor() uint64 { return s.records.Floor() }

// changesAfter reads up to limit changes with greater revisions, in their order, and the revision after which every change was
// there when they were read.
func (s *VersionMysqlService) changesAfter(ctx context.Context, revision uint64, limit int) (list []model.Change, floor uint64, err error) {
	if err := s.readers.Enter(ctx); err != nil {
		return nil, 0, err
	}
	defer s.readers.Leave()
	view, err := s.mysqlDao.OpenView(ctx)
	if err != nil {
		return nil, 0, err
	}
	list, err = view.ChangesAfter(ctx, revision, limit)
	return list, view.ChangesFrom(), errors.Join(view.Unlike(), err, view.Close())
}

// storedHistory reads a page of the history of a record. Of one that was there before the store was looked into something is
// known, though none of its changes may be kept.
func (l *lookup) storedHistory(ctx context.Context, which model.HistoryOptions) (model.Found, error) {
	_, exists := l.mysql.records.Get(which.ID)
	history, index, err := inView(ctx, l, func() (model.History, uint64, error) { return l.mysql.history(ctx, which) })
	if err != nil || !exists && len(history.Items) == 0 {
		return model.Found{Index: index}, err
	}
	return model.Found{History: &history, Index: index}, nil
}

// history reads a page and the index that it reflects, in one consistent view.
func (s *VersionMysqlService) history(ctx context.Context, which model.HistoryOptions) (history model.History, index uint64, err error) {
	if err := s.readers.Enter(ctx); err != nil {
		return history, 0, err
	}
	defer s.readers.Leave()
	view, err := s.mysqlDao.OpenView(ctx)
	if err != nil {
		return history, 0, err
	}
	history, err = readHistory(ctx, view, which)
	return history, view.State().Applied.Index, errors.Join(view.Unlike(), err, view.Close())
}

// readHistory asks for one change more than the page holds, to tell whether another page follows.
func readHistory(ctx context.Context, view *dao.View, which model.HistoryOptions) (history model.History, err error) {
	history.Items, err = view.ChangesOf(ctx, which.ID, which.Before, which.Limit+1)
	if err != nil {
		return history, err
	}
	if len(history.Items) > which.Limit {
		history.Items = history.Items[:which.Limit]
		history.Next = history.Items[which.Limit-1].Revision
	}
	oldest, found, err := view.OldestChangeOf(ctx, which.ID)
	history.Complete = found && oldest.Op == model.ChangeCreate
	return history, err
}
