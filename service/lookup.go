package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
	"versiond/service/state"
)

const (
	// lookupTries bounds how often a read meets a row that is ahead of the index; once is common
	// under writes to the same id, ten times in a row means that somebody else writes to the table.
	lookupTries = 10
	// suspicionTries is how often is not common any more.
	suspicionTries = 2
	// publishWait is how long a committed row may take to be published.
	publishWait = 200 * time.Millisecond
	// ownReadTimeout is how long a node's own store may take for a read that the leader's can serve.
	ownReadTimeout = time.Second
)

// lookUp answers queries from what this node has applied.
func (s *VersionService) lookUp(ctx context.Context, queries []model.Query, level model.Level) ([]model.Found, error) {
	found := make([]model.Found, len(queries))
	for i, q := range queries {
		known := false
		if found[i], known = s.fromMemory(q); known {
			continue
		}
		var err error
		if found[i], err = s.fromStore(ctx, q, level); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// fromMemory answers what memory knows. It is most of what is asked for, and waits for nothing.
func (s *VersionService) fromMemory(q model.Query) (found model.Found, known bool) {
	if q.Page != nil {
		return found, false
	}
	current, exists := s.mysql.records.Get(q.ID)
	if !exists {
		s.storeReads.absent.Add(1)
		return found, true
	}
	row, known := s.redis.fromMemory(q.ID, current)
	if known {
		s.redis.memoryReads.count(true)
	}
	return model.Found{Record: convertToRecord(row), Exists: true}, known
}

// fromStore answers from the caches and the database. Where the leader's may be asked instead it leaves time for that,
// and gives errPassToLeader when this node's does not answer in time, or not at all.
func (s *VersionService) fromStore(ctx context.Context, q model.Query, level model.Level) (model.Found, error) {
	if level == model.LevelNone || s.node.IsLeader() {
		return s.stored(ctx, q)
	}
	own, cancel := context.WithTimeout(ctx, ownReadTimeout)
	defer cancel()
	found, err := s.stored(own, q)
	late := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if late || errors.Is(err, model.ErrStoreUnavailable) && !s.node.IsLeader() {
		err = errPassToLeader
	}
	return found, err
}

func (s *VersionService) stored(ctx context.Context, q model.Query) (model.Found, error) {
	if q.Page != nil {
		page, err := s.storedPage(ctx, *q.Page)
		return model.Found{Page: &page}, err
	}
	row, err := s.storedRecord(ctx, q.ID)
	if errors.Is(err, model.ErrNotFound) {
		return model.Found{}, nil
	}
	return model.Found{Record: convertToRecord(row), Exists: true}, err
}

// storedPage reads a page. It may be ahead of what single reads see, which must not fall behind it.
func (s *VersionService) storedPage(ctx context.Context, list model.ListOptions) (model.Page, error) {
	gen := s.trust.Gen()
	page, stored, err := s.listStored(ctx, list)
	if err != nil {
		s.storeReads.failed(err)
		s.trust.FoundByRead(gen, err)
		return page, err
	}
	return page, s.node.WaitApplied(ctx, stored)
}

// listStored reads a page and the index that it reflects. A store that holds less than it did has lost
// commits, as one may that was killed: no page of it is shown, and the applier mends it.
func (s *VersionService) listStored(ctx context.Context, list model.ListOptions) (model.Page, uint64, error) {
	before := s.node.StoredIndex()
	page, stored, err := s.mysql.list(ctx, list)
	if errors.Is(err, model.ErrNoState) || err == nil && stored < before {
		s.node.VerifyStore()
		return model.Page{}, 0, wrongStore(fmt.Sprintf("it is at index %d and was left at %d", stored, before), err)
	}
	return page, stored, err
}

// storedRecord finds the current row of an id. The revision index judges what caches and database say.
func (s *VersionService) storedRecord(ctx context.Context, id string) (model.Version, error) {
	for try := range lookupTries {
		seen, gen := s.node.AppliedIndex(), s.trust.Gen()
		current, exists := s.mysql.records.Get(id)
		if !exists {
			s.storeReads.absent.Add(1)
			return model.Version{}, model.ErrNotFound
		}
		if row, ok := s.redis.GetVersionByID(ctx, id, current); ok {
			return row, nil
		}
		row, err := s.mysql.GetVersionFromMysql(ctx, id)
		if err == nil && current.Contradicts(state.MarkOf(&row)) {
			return model.Version{}, s.wrongRow(gen, id)
		}
		found := err == nil && state.MarkOf(&row) == current
		s.storeReads.count(found)
		if found {
			s.redis.AddVersion(row)
			s.redis.Flush()
			return row, nil
		}
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			s.storeReads.failed(err)
			s.trust.FoundByRead(gen, err)
			return model.Version{}, err
		}
		if try > 0 {
			s.node.VerifyStore()
		}
		if try == suspicionTries {
			s.trust.Suspect()
		}
		s.awaitPublish(ctx, seen)
	}
	return model.Version{}, wrongStore(wrongRowOf(id), nil)
}

// wrongRow notes that a row has the revision that was applied, and another content.
func (s *VersionService) wrongRow(gen uint64, id string) error {
	err := fmt.Errorf("%w: %s", model.ErrStoreDiffers, wrongRowOf(id))
	s.trust.FoundByRead(gen, err)
	return wrongStore(wrongRowOf(id), err)
}

func wrongRowOf(id string) string {
	return fmt.Sprintf("the row of %q is not the one that was applied", id)
}

// wrongStore says to a client that the database answers, but not with what this node stored there.
func wrongStore(what string, cause error) error {
	return &model.StoreError{Detail: "the node's database does not hold what this node stored: " + what + "; the node mends it from its Raft log", Cause: cause}
}

// awaitPublish waits a moment for the change that the table shows already and the index does not.
func (s *VersionService) awaitPublish(ctx context.Context, seen uint64) {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	_ = s.node.WaitApplied(ctx, seen+1) // whether it came or not, the caller looks again
}
