package service

import (
	"context"
	"errors"
	"fmt"

	"versiond/dao"
	"versiond/group"
	"versiond/model"
	"versiond/raft"
	"versiond/service/state"
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

// VersionMysqlService keeps the records in the node's own database, MySQL or SQLite, and what is known of
// them. Changes are staged one by one and committed together.
type VersionMysqlService struct {
	mysqlDao *dao.VersionMysqlDao
	records  *state.Records
	// readers keeps clients' reads from taking all connections: the database would give them out in the
	// order in which they were asked for, and the applier would wait behind every client.
	readers *group.Gate
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
	return &VersionMysqlService{mysqlDao: mysqlDao, records: state.New(state.DefaultDedupLimits, state.DefaultChangeLimits), readers: readers}, nil
}

// ConvertToVersion makes the row of a record.
func (s *VersionMysqlService) ConvertToVersion(record model.VersionDB, revision uint64) model.Version {
	record.Revision = revision
	return model.Version(record)
}

// convertToRecord makes the record of a row.
func convertToRecord(v model.Version) model.VersionDB {
	return model.VersionDB(v)
}

// VersionExists returns the revision of a record as readers may see it, without asking the database.
func (s *VersionMysqlService) VersionExists(id string) (revision uint64, exists bool) {
	current, exists := s.records.Get(id)
	return current.Revision, exists
}

// AddVersionToMysql stages a new row; like all that is staged it is written in the transaction of the whole group.
func (s *VersionMysqlService) AddVersionToMysql(v model.Version, origin *model.Origin) {
	s.records.Stage(state.Change{Version: v}, origin)
}

// UpdateVersion stages a row's new content.
func (s *VersionMysqlService) UpdateVersion(v model.Version, origin *model.Origin) {
	s.records.Stage(state.Change{Version: v, Updated: true}, origin)
}

// DeleteVersion stages the removal of a row.
func (s *VersionMysqlService) DeleteVersion(id string, revision uint64, origin *model.Origin) {
	s.records.Stage(state.Change{Version: model.Version{ID: id, Revision: revision}, Deleted: true}, origin)
}

// learn reads the rows of these ids: model.ErrStateMoved when they are not as they were left.
func (s *VersionMysqlService) learn(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := s.mysqlDao.GetMany(ctx, ids)
	if errors.Is(err, model.ErrStoreDiffers) {
		return fmt.Errorf("%w: %w", model.ErrStateMoved, err)
	}
	if err != nil {
		return err
	}
	if len(rows) < len(ids) || !s.records.Learn(rows) {
		return fmt.Errorf("%w: a row that is to be updated is not the one that was applied", model.ErrStateMoved)
	}
	return nil
}

// commit writes what is staged, and moves the state row, in one transaction, if that is as it was left. The stage stays, for
// publish or for another try.
func (s *VersionMysqlService) commit(ctx context.Context, store string, from, to model.Position) error {
	left := s.left
	left.Store, left.Applied = store, from
	s.leaving = left
	s.leaving.Applied, s.leaving.Checksum, s.leaving.ChangesFrom = to, s.records.StagedSum().Checksum(), s.records.ChangesFrom()
	s.leaving = s.leaving.Sealed()
	return s.mysqlDao.Apply(ctx, left, s.leaving, s.records.Changes())
}

// publish lets readers see what was committed, and returns it as Records.Publish does.
func (s *VersionMysqlService) publish() ([]state.Change, []model.Change) {
	s.left = s.leaving
	return s.records.Publish()
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
// more than the page holds, to see whether another page follows. For rows that others than the applier
// changed it returns an error that matches model.ErrStoreDiffers, as far as the revision index shows them.
func (s *VersionMysqlService) list(ctx context.Context, opts model.ListOptions) (model.Page, uint64, error) {
	if err := s.readers.Enter(ctx); err != nil {
		return model.Page{}, 0, err
	}
	defer s.readers.Leave()
	view, err := s.mysqlDao.OpenView(ctx)
	if err != nil {
		return model.Page{}, 0, err
	}
	more := opts
	more.Limit++
	rows, err := view.Page(ctx, more)
	if err = errors.Join(view.Unlike(), err, view.Close()); err != nil {
		return model.Page{}, 0, err
	}
	if err := s.verify(rows); err != nil {
		return model.Page{}, 0, err
	}
	return pageOf(rows, opts.Limit), view.State().Applied.Index, nil
}

// verify holds rows against the revision index.
func (s *VersionMysqlService) verify(rows []model.Version) error {
	for i := range rows {
		current, exists := s.records.Get(rows[i].ID)
		if exists && current.Contradicts(state.MarkOf(&rows[i])) {
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
	left, err := s.mysqlDao.State(ctx)
	if err == nil {
		err = s.mysqlDao.CheckShape(ctx, left)
	}
	return left, err
}

// heldCluster returns the cluster that this node's database belongs to, "" when it belongs to none.
func (s *VersionMysqlService) heldCluster(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	left, err := s.mysqlDao.State(ctx)
	if errors.Is(err, model.ErrNoState) || errors.Is(err, model.ErrStoreDiffers) && left.Cluster != "" {
		err = nil
	}
	return left.Cluster, err
}

// load reads every row, of which it keeps the revision and the hash, and holds their sum against the
// checksum that was stored with them: model.ErrStoreDiffers.
func (s *VersionMysqlService) load(ctx context.Context) error {
	left, err := s.mysqlDao.State(ctx)
	if err != nil {
		return err
	}
	if err := s.loadRecords(ctx); err != nil {
		return err
	}
	if err := s.loadChanges(ctx, left.ChangesFrom); err != nil {
		return err
	}
	if found := s.records.Sum().Checksum(); left.Checksum != found {
		return fmt.Errorf("%w: its rows have the checksum %s, which should be %s at index %d", model.ErrStoreDiffers, found, left.Checksum, left.Applied.Index)
	}
	s.left = left
	return nil
}

func (s *VersionMysqlService) loadRecords(ctx context.Context) error {
	s.records.Clear()
	n := 0
	err := s.mysqlDao.ForEachVersion(ctx, func(v model.Version) error {
		s.records.Load(&v)
		if n++; n%storePageSize == 0 {
			model.WorkDone(ctx)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.mysqlDao.ForEachDedupRecord(ctx, func(d model.DedupRecord) error {
		if err := s.records.LoadDedup(&d); err != nil {
			return fmt.Errorf("%w: what is remembered at revision %d: %w", model.ErrStoreDiffers, d.Revision, err)
		}
		return nil
	})
}

// loadChanges reads none where none are kept: a database of a release before, from which a cluster is recovered, has no table of them.
func (s *VersionMysqlService) loadChanges(ctx context.Context, from uint64) error {
	if s.records.LoadChangesFrom(from); from == 0 {
		return nil
	}
	n := 0
	return s.mysqlDao.ForEachChange(ctx, func(c model.Change) error {
		s.records.LoadChange(&c)
		if n++; n%storePageSize == 0 {
			model.WorkDone(ctx)
		}
		return nil
	})
}
