package service

import (
	"context"
	"errors"

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
