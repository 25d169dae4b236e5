package service

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"versiond/dao"
	"versiond/model"
	"versiond/service/state"
)

// changesFloor returns the revision after which every change is kept, as readers may see it; 0 while none are.
func (s *VersionMysqlService) changesFloor() uint64 { return s.records.Floor() }

// keptChanges are some of the changes that are kept, in their order, and the revision after which every change was there when
// they were read.
type keptChanges struct {
	list  []model.Change
	floor uint64
}

// changesAfter reads up to limit changes with greater revisions, and the index that they reflect.
func (s *VersionMysqlService) changesAfter(ctx context.Context, revision uint64, limit int) (kept keptChanges, index uint64, err error) {
	if err := s.readers.Enter(ctx); err != nil {
		return kept, 0, err
	}
	defer s.readers.Leave()
	view, err := s.mysqlDao.OpenView(ctx)
	if err != nil {
		return kept, 0, err
	}
	kept.floor = view.ChangesFrom()
	kept.list, err = view.ChangesAfter(ctx, revision, limit)
	return kept, view.State().Applied.Index, errors.Join(view.Unlike(), err, view.Close())
}

// storedHistory reads a page of the history of a record. Of one that was there before is something known, though none of its
// changes may be kept.
func (l *lookup) storedHistory(ctx context.Context, which model.HistoryOptions) (model.Found, error) {
	_, exists := l.mysql.records.Get(which.ID)
	history, _, err := inView(ctx, l, func() (model.History, uint64, error) { return l.mysql.history(ctx, which) })
	if err != nil || !exists && len(history.Items) == 0 && !l.mysql.hasHistory(which.ID) {
		return model.Found{}, err
	}
	return model.Found{History: &history}, nil
}

// hasHistory reports whether changes of an id are kept, of which a page may be empty: those behind it were let go.
func (s *VersionMysqlService) hasHistory(id string) bool {
	marks, _ := s.records.History(id, 0, 1)
	return len(marks) > 0
}

// history reads a page, in one consistent view, and the index of that, of which the page may lack something: it has what was
// published when it was begun.
func (s *VersionMysqlService) history(ctx context.Context, which model.HistoryOptions) (history model.History, index uint64, err error) {
	if err := s.readers.Enter(ctx); err != nil {
		return history, 0, err
	}
	defer s.readers.Leave()
	marks, oldest := s.records.History(which.ID, which.Before, which.Limit+1) // one more, to tell whether another page follows
	view, err := s.mysqlDao.OpenView(ctx)
	if err != nil {
		return history, 0, err
	}
	history, err = readHistory(ctx, view, which.Limit, marks, oldest)
	return history, view.State().Applied.Index, errors.Join(view.Unlike(), err, view.Close())
}

// readHistory reads changes of which these are the marks. Some may have been let go since.
func readHistory(ctx context.Context, view *dao.View, limit int, marks []state.ChangeMark, oldest state.ChangeMark) (history model.History, err error) {
	if len(marks) > limit {
		marks, history.Next = marks[:limit], marks[limit-1].Revision
	}
	rows, err := changesAt(ctx, view, append(slices.Clone(marks), oldest))
	if err != nil {
		return history, err
	}
	for _, mark := range marks {
		if c, found := rows[mark.Revision]; found {
			history.Items = append(history.Items, c)
		}
	}
	history.Complete = rows[oldest.Revision].Op == model.ChangeCreate
	return history, nil
}

// changesAt reads the changes that marks are of: model.ErrStoreDiffers where they are not those that were applied.
func changesAt(ctx context.Context, view *dao.View, marks []state.ChangeMark) (map[uint64]model.Change, error) {
	revisions := make([]uint64, len(marks))
	for i, mark := range marks {
		revisions[i] = mark.Revision
	}
	list, err := view.ChangesAt(ctx, revisions)
	if err != nil {
		return nil, err
	}
	rows := map[uint64]model.Change{}
	for _, c := range list {
		rows[c.Revision] = c
	}
	for _, mark := range marks {
		c, found := rows[mark.Revision]
		if found && !mark.IsOf(&c) || !found && mark.Revision > view.ChangesFrom() {
			return nil, wrongStore(fmt.Sprintf("the change with revision %d is not the one that was applied", mark.Revision), model.ErrStoreDiffers)
		}
	}
	return rows, nil
}
