package service

import (
	"context"
	"errors"
	"fmt"

	"versiond/dao"
	"versiond/group"
	"versiond/model"
	"versiond/raft"
	"versiond/wire"
)

// storePageSize is how many records pass through memory at once when all are read or written.
const storePageSize = 1000

const (
	// connectionsKept is how many connections to the database clients' reads leave alone: for the applier,
	// which may take a second one to prepare a statement, for views of backups and snapshots, and for the reload.
	connectionsKept = 6
	// readsWaitingMax is how many reads may wait for a connection; the rest gets model.ErrTooManyRequests.
	readsWaitingMax = 2000
)

// VersionMysqlService keeps the records in the node's own database, MySQL or SQLite, and knows the
// current revision of each. Changes are staged one by one and committed together.
type VersionMysqlService struct {
	mysqlDao  *dao.VersionMysqlDao
	revisions *revisionIndex
	// readers keeps clients' reads from taking all connections: the database would give them out in the
	// order in which they were asked for, and the applier would wait behind every client.
	readers *group.Gate
	staged  *stage     // the applier's alone
	dedup   *dedup     // the applier's alone
	sum     contentSum // of what revisions holds; the applier's alone
	// left is the state row as the applier left it, leaving what it is about to make of it; the applier's alone.
	left, leaving model.StoreState
}

// NewVersionMysqlService fails when it is given no dao.
func NewVersionMysqlService(mysqlDao *dao.VersionMysqlDao) (*VersionMysqlService, error) {
	if mysqlDao == nil {
		return nil, errors.New("the MySQL service needs a dao")
	}
	if err := mysqlDao.ReportWork(); err != nil {
		return nil, err
	}
	readers := group.NewGate(mysqlDao.ConnectionsMax()-connectionsKept, readsWaitingMax)
	return &VersionMysqlService{mysqlDao: mysqlDao, revisions: newRevisionIndex(), staged: newStage(), readers: readers, dedup: newDedup()}, nil
}

// ConvertToVersion makes the row of a record.
func (s *VersionMysqlService) ConvertToVersion(record model.VersionDB, revision uint64) model.Version {
	return model.Version{ID: record.ID, VersionNo: record.VersionNo, Platform: record.Platform, Revision: revision}
}

// convertToRecord makes the record of a row.
func convertToRecord(v model.Version) model.VersionDB {
	return model.VersionDB{ID: v.ID, VersionNo: v.VersionNo, Platform: v.Platform, Revision: v.Revision}
}

// VersionExists returns the revision of a record as readers may see it, without asking the database.
func (s *VersionMysqlService) VersionExists(id string) (revision uint64, exists bool) {
	current, exists := s.revisions.get(id)
	return current.revision, exists
}

// stagedRevision is VersionExists with what is staged on top; the applier decides by it.
func (s *VersionMysqlService) stagedRevision(id string) (revision uint64, exists bool) {
	current, exists := s.stagedMark(id)
	return current.revision, exists
}

func (s *VersionMysqlService) stagedMark(id string) (current mark, exists bool) {
	if change, ok := s.staged.changes[id]; ok {
		return mark{change.Revision, change.hash}, !change.deleted
	}
	return s.revisions.get(id)
}

// stage stages what becomes of an id, and moves the sum on by it.
func (s *VersionMysqlService) stage(c change) {
	if before, existed := s.stagedMark(c.ID); existed {
		s.staged.sum.remove(before.hash)
	}
	if !c.deleted {
		c.hash = rowHash(&c.Version)
		s.staged.sum.add(c.hash)
	}
	s.staged.put(c)
}

// AddVersionToMysql stages a new row.
func (s *VersionMysqlService) AddVersionToMysql(v model.Version) { s.stage(change{Version: v}) }

// UpdateVersion stages a row's new content; it is written in the transaction of the whole group.
func (s *VersionMysqlService) UpdateVersion(v model.Version) {
	s.stage(change{Version: v, updated: true})
}

// DeleteVersion stages the removal of a row.
func (s *VersionMysqlService) DeleteVersion(id string) {
	s.stage(change{Version: model.Version{ID: id}, deleted: true})
}

// remember stages what a unit with a key came to.
func (s *VersionMysqlService) remember(m model.DedupRecord) {
	forgotten := s.dedup.stage(m)
	for i := range forgotten {
		s.staged.sum.removeDedup(&forgotten[i])
	}
	s.staged.sum.addDedup(&m)
}

// commit writes what is staged, and moves the state row, in one transaction. The stage stays, for
// publish or for another try.
func (s *VersionMysqlService) commit(ctx context.Context, store string, from, to model.Position) error {
	var changes dao.Changes
	changes.Upserts, changes.Deletes = s.staged.rows()
	changes.DedupRecords, changes.ForgetThrough = s.dedup.changes()
	left := s.left
	left.Store, left.Applied = store, from
	s.leaving = left
	s.leaving.Applied, s.leaving.Checksum = to, s.staged.sum.checksum()
	s.leaving = s.leaving.Sealed()
	return s.mysqlDao.Apply(ctx, left.Sealed(), s.leaving, changes)
}

// publish lets readers see what was committed, and gives the changes in the order of their ids'
// first appearance.
func (s *VersionMysqlService) publish() []change {
	s.sum, s.left = s.staged.sum, s.leaving
	s.dedup.publish()
	changes := s.staged.take()
	for _, c := range changes {
		if c.deleted {
			s.revisions.remove(c.ID)
		} else {
			s.revisions.set(c.ID, mark{c.Revision, c.hash})
		}
	}
	return changes
}

func (s *VersionMysqlService) discard() {
	s.staged.take()
	s.dedup.discard()
	s.staged.sum = s.sum
}

// GetVersionFromMysql reads one row: model.ErrNotFound, model.ErrStoreUnavailable, and
// model.ErrTooManyRequests when too many reads wait.
func (s *VersionMysqlService) GetVersionFromMysql(ctx context.Context, id string) (model.Version, error) {
	if err := s.readers.Enter(ctx); err != nil {
		return model.Version{}, err
	}
	defer s.readers.Leave()
	return s.mysqlDao.Get(ctx, id)
}

// GetAllVersions passes every row of a view to visit, page by page in the order of the ids. It never
// holds more than a page.
func (s *VersionMysqlService) GetAllVersions(ctx context.Context, view raft.View, visit func([]model.Version) error) error {
	for after := ""; ; {
		page, err := view.Page(ctx, after, storePageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := visit(page); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}

// list reads one page and the index that it reflects, in one consistent view. It asks for one row
// more than the page holds, to tell whether another page follows. Rows that others than the applier
// changed give an error that matches model.ErrStoreDiffers, as far as the revision index shows them.
func (s *VersionMysqlService) list(ctx context.Context, opts model.ListOptions) (model.Page, uint64, error) {
	if err := s.readers.Enter(ctx); err != nil {
		return model.Page{}, 0, err
	}
	defer s.readers.Leave()
	view, err := s.mysqlDao.OpenView(ctx)
	if err != nil {
		return model.Page{}, 0, err
	}
	rows, err := view.Page(ctx, opts.After, opts.Platform, opts.Limit+1)
	if err = errors.Join(view.Unlike(), err, view.Close()); err != nil {
		return model.Page{}, 0, err
	}
	if err := s.judge(rows); err != nil {
		return model.Page{}, 0, err
	}
	return pageOf(rows, opts.Limit), view.State().Applied.Index, nil
}

func (s *VersionMysqlService) judge(rows []model.Version) error {
	for i := range rows {
		current, exists := s.revisions.get(rows[i].ID)
		if exists && current.contradicts(markOf(&rows[i])) {
			return wrongStore(wrongRowOf(rows[i].ID), model.ErrStoreDiffers)
		}
	}
	return nil
}

func pageOf(rows []model.Version, limit int) model.Page {
	var page model.Page
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = rows[limit-1].ID
	}
	page.Items = make([]model.VersionDB, len(rows))
	for i, row := range rows {
		page.Items[i] = convertToRecord(row)
	}
	return page
}

// state reads the state row: model.ErrStoreDiffers when that, or a table, is not as this node left it.
func (s *VersionMysqlService) state(ctx context.Context) (model.StoreState, error) {
	state, err := s.mysqlDao.State(ctx)
	if err == nil {
		err = s.mysqlDao.CheckShape(ctx, state)
	}
	return state, err
}

// load reads every row, of which it keeps the revision and the hash, and holds their sum against the
// checksum that was stored with them: model.ErrStoreDiffers.
func (s *VersionMysqlService) load(ctx context.Context) error {
	state, err := s.mysqlDao.State(ctx)
	if err != nil {
		return err
	}
	if err := s.index(ctx); err != nil {
		return err
	}
	if found := s.sum.checksum(); state.Checksum != found {
		return fmt.Errorf("%w: its rows make %s, which should be %s at index %d", model.ErrStoreDiffers, found, state.Checksum, state.Applied.Index)
	}
	s.left = state
	return nil
}

func (s *VersionMysqlService) index(ctx context.Context) error {
	s.revisions.clear()
	var sum contentSum
	err := s.mysqlDao.ForEachVersion(ctx, func(v model.Version) error {
		m := markOf(&v)
		sum.add(m.hash)
		s.revisions.set(v.ID, m)
		if sum.records%storePageSize == 0 {
			model.WorkDone(ctx)
		}
		return nil
	})
	if err == nil {
		err = s.indexDedupRecords(ctx, &sum)
	}
	s.sum, s.staged.sum = sum, sum
	return err
}

func (s *VersionMysqlService) indexDedupRecords(ctx context.Context, sum *contentSum) error {
	s.dedup.clear()
	return s.mysqlDao.ForEachDedupRecord(ctx, func(m model.DedupRecord) error {
		if _, err := wire.UnpackOutcomes(&m); err != nil {
			return fmt.Errorf("%w: what is remembered at revision %d: %w", model.ErrStoreDiffers, m.Revision, err)
		}
		sum.addDedup(&m)
		s.dedup.load(m)
		return nil
	})
}
