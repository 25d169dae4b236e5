package fakestore

import (
	"context"
	"maps"
	"slices"

	"versiond/model"
	"versiond/raft/snapshot"
)

func (f *service) OpenViewInternal(context.Context) (snapshot.StoreView, error) {
	f.Store.Mu.Lock()
	defer f.Store.Mu.Unlock()
	if f.Store.State == nil {
		return nil, model.ErrNoState
	}
	f.Store.ViewsOpen++
	return &view{store: f.Store, rows: maps.Clone(f.Store.Table), state: *f.Store.State, dedup: slices.Clone(f.Store.dedup), held: f.Store.heldPages}, nil
}

type view struct {
	store *Store
	rows  map[string]model.Version
	dedup []model.DedupRecord
	state model.StoreState
	held  chan struct{}
}

func (v *view) DedupRecords(_ context.Context, after uint64, limit int) (page []model.DedupRecord, _ error) {
	for _, m := range v.dedup {
		if m.Revision > after && len(page) < limit {
			page = append(page, m)
		}
	}
	return page, nil
}

func (v *view) ChangesFrom() uint64 { return v.state.ChangesFrom }

func (v *view) ChangesAfter(context.Context, uint64, int) ([]model.Change, error) { return nil, nil }

func (v *view) State() model.StoreState { return v.state }

func (v *view) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
	if v.held != nil {
		select {
		case <-v.held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var page []model.Version
	for _, id := range slices.Sorted(maps.Keys(v.rows)) {
		if id > after && len(page) < limit {
			page = append(page, v.rows[id])
		}
	}
	return page, nil
}

func (v *view) Close() error {
	v.store.Mu.Lock()
	defer v.store.Mu.Unlock()
	v.store.ViewsOpen--
	return nil
}
