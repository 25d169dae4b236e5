package dao

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"gorm.io/gorm"

	"versiond/model"
)

// View is the store at one moment: what is applied after OpenView is not in it. It holds a connection
// and, in the database, old versions of what changes meanwhile, so it is to be closed soon. Only one
// goroutine at a time may use it.
type View struct {
	dao    *VersionMysqlDao
	tx     *gorm.DB
	cancel context.CancelFunc
	state  model.StoreState
	unlike error
	once   sync.Once
	err    error
}

// OpenView opens a view. When it returns, the view's moment is fixed: the applier may go on.
//
// ctx bounds the opening alone. The view lives on when ctx ends, until Close: database/sql would roll
// its transaction back with the context that began it. It returns model.ErrNoState as State does.
func (d *VersionMysqlDao) OpenView(ctx context.Context) (*View, error) {
	const op = "opening a read view"
	viewCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	release := context.AfterFunc(ctx, cancel)
	view, err := d.openView(viewCtx, cancel)
	if !release() { // ctx has ended: what was opened, if anything, went with it
		err = ctx.Err()
	}
	if err != nil {
		cancel()
		return nil, d.translate(ctx, op, err)
	}
	return view, nil
}

// openView begins a transaction and reads the state row: the first read is what fixes a snapshot.
func (d *VersionMysqlDao) openView(ctx context.Context, cancel context.CancelFunc) (*View, error) {
	tx := d.DB.WithContext(ctx).Begin(&sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if tx.Error != nil {
		if isMissing(tx.Error) {
			return nil, fmt.Errorf("%w: %w", model.ErrNoState, tx.Error)
		}
		return nil, tx.Error
	}
	state, err := readState(tx)
	if err != nil && !errors.Is(err, model.ErrStoreDiffers) {
		_ = tx.Rollback()
		return nil, err
	}
	return &View{dao: d, tx: tx, cancel: cancel, state: state, unlike: translate(ctx, "reading the state row", err)}, nil
}

// State returns the state row as of the view's moment.
func (v *View) State() model.StoreState { return v.state }

// Unlike is what speaks against that row, nil when nothing does: it matches model.ErrStoreDiffers.
func (v *View) Unlike() error { return v.unlike }

// Page reads as VersionMysqlDao.Page does, as of the view's moment. On MySQL a ctx that ends during the call
// takes the view with it; every later call fails.
func (v *View) Page(ctx context.Context, opts model.ListOptions) ([]model.Version, error) {
	return v.dao.page(ctx, v.tx, opts)
}

// Close ends the view. It may be called more than once and returns the same error each time.
func (v *View) Close() error {
	v.once.Do(func() {
		defer v.cancel()
		err := v.tx.Rollback().Error
		if !errors.Is(err, sql.ErrTxDone) && !errors.Is(err, gorm.ErrInvalidTransaction) {
			v.err = translate(context.Background(), "closing a read view", err)
		}
	})
	return v.err
}
