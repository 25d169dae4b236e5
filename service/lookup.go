package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"versiond/model"
	"versiond/raft"
	"versiond/service/integrity"
	"versiond/service/state"
	"versiond/service/versions"
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

// lookup answers queries from what this node has applied.
type lookup struct {
	node  *raft.Node
	mysql *VersionMysqlService
	redis *VersionRedisService
	trust *integrity.Trust
	reads storeReads
	// candidates has those that were asked for.
	candidates *versions.Cache
}

// answer answers queries from what this node has applied, and returns an index that all of it reflects. A record that is missing
// may have been deleted by a transaction that is committed and not yet published, which no index of its would cover: the answer
// is sought again once that is applied.
func (l *lookup) answer(ctx context.Context, queries []model.Query, level model.Level) (found []model.Found, index uint64, err error) {
	for {
		index = l.node.AppliedIndex()
		found, err = l.find(ctx, queries, level)
		stored := l.node.StoredIndex()
		if err != nil || stored <= index || !slices.ContainsFunc(found, model.Found.IsNothing) {
			return found, index, err
		}
		if err = l.node.WaitApplied(ctx, stored); err != nil {
			return nil, 0, err
		}
	}
}

func (l *lookup) find(ctx context.Context, queries []model.Query, level model.Level) ([]model.Found, error) {
	found := make([]model.Found, len(queries))
	for i, q := range queries {
		known := false
		if found[i], known = l.fromMemory(q); known {
			continue
		}
		var err error
		if found[i], err = l.fromStore(ctx, q, level); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// fromMemory answers what memory knows. It is most of what is asked for, and waits for nothing.
func (l *lookup) fromMemory(q model.Query) (found model.Found, known bool) {
	if q.Candidates != nil {
		return l.candidatesFromMemory(*q.Candidates)
	}
	if q.Page != nil || q.History != nil {
		return found, false
	}
	if found, known = l.recordFromMemory(q.ID); known && !found.Exists {
		l.reads.absent.Add(1)
	}
	return found, known
}

// recordFromMemory returns the record that has an id, if memory has the current one, or that there is none.
func (l *lookup) recordFromMemory(id string) (found model.Found, known bool) {
	current, exists := l.mysql.records.Get(id)
	if !exists {
		return found, true
	}
	row, known := l.redis.fromMemory(id, current)
	if known {
		l.redis.memoryReads.count(true)
	}
	return model.Found{Record: convertToRecord(row), Exists: true}, known
}

// fromStore answers from the caches and the database. Where the leader's may be asked instead it leaves time for that,
// and returns errPassToLeader when this node's does not answer in time, or not at all.
func (l *lookup) fromStore(ctx context.Context, q model.Query, level model.Level) (model.Found, error) {
	if level == model.LevelNone || l.node.IsLeader() {
		return l.stored(ctx, q)
	}
	own, cancel := context.WithTimeout(ctx, ownReadTimeout)
	defer cancel()
	found, err := l.stored(own, q)
	late := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if late || errors.Is(err, model.ErrStoreUnavailable) && !l.node.IsLeader() {
		err = errPassToLeader
	}
	return found, err
}

func (l *lookup) stored(ctx context.Context, q model.Query) (model.Found, error) {
	if q.Page != nil {
		page, index, err := l.storedPage(ctx, *q.Page)
		return model.Found{Page: &page, Index: index}, err
	}
	if q.Candidates != nil {
		return l.storedCandidates(ctx, *q.Candidates)
	}
	if q.History != nil {
		return l.storedHistory(ctx, *q.History)
	}
	row, err := l.storedRecord(ctx, q.ID)
	if errors.Is(err, model.ErrNotFound) {
		return model.Found{}, nil
	}
	return model.Found{Record: convertToRecord(row), Exists: true}, err
}

// storedPage reads a page and the index that it reflects. It may be ahead of what single reads see, which must not fall
// behind it.
func (l *lookup) storedPage(ctx context.Context, list model.ListOptions) (model.Page, uint64, error) {
	return inView(ctx, l, func() (model.Page, uint64, error) { return l.mysql.list(ctx, list) })
}

// inView reads something and the index that it reflects in one view, and waits until that is applied.
func inView[T any](ctx context.Context, l *lookup, read func() (T, uint64, error)) (T, uint64, error) {
	found, stored, err := newEnough(l, read)
	if err != nil {
		return found, 0, err
	}
	return found, stored, l.node.WaitApplied(ctx, stored)
}

// newEnough reads something and the index that it reflects. A store that holds less than it did has lost
// commits, as one may that was killed: nothing of it is shown, and the applier mends it.
func newEnough[T any](l *lookup, read func() (T, uint64, error)) (none T, _ uint64, _ error) {
	gen, before := l.trust.Gen(), l.node.StoredIndex()
	found, stored, err := read()
	if errors.Is(err, model.ErrNoState) || err == nil && stored < before {
		l.node.VerifyStore()
		err = wrongStore(fmt.Sprintf("it is at index %d and was left at %d", stored, before), err)
	}
	if err != nil {
		l.reads.failed(err)
		l.trust.FoundByRead(gen, err)
		return none, 0, err
	}
	return found, stored, nil
}

// storedRecord finds the current row of an id. The revision index judges what caches and database say.
func (l *lookup) storedRecord(ctx context.Context, id string) (model.Version, error) {
	for try := range lookupTries {
		seen, gen := l.node.AppliedIndex(), l.trust.Gen()
		current, exists := l.mysql.records.Get(id)
		if !exists {
			l.reads.absent.Add(1)
			return model.Version{}, model.ErrNotFound
		}
		if row, ok := l.redis.GetVersionByID(ctx, id, current); ok {
			return row, nil
		}
		row, err := l.mysql.GetVersionFromMysql(ctx, id)
		if err == nil && current.Contradicts(state.MarkOf(&row)) {
			return model.Version{}, l.wrongRow(gen, id)
		}
		found := err == nil && state.MarkOf(&row) == current
		l.reads.count(found)
		if found {
			l.redis.AddVersion(row)
			l.redis.Flush()
			return row, nil
		}
		if err != nil && !errors.Is(err, model.ErrNotFound) {
			l.reads.failed(err)
			l.trust.FoundByRead(gen, err)
			return model.Version{}, err
		}
		if try > 0 {
			l.node.VerifyStore()
		}
		if try == suspicionTries {
			l.trust.Suspect()
		}
		l.awaitPublish(ctx, seen)
	}
	return model.Version{}, wrongStore(wrongRowOf(id), nil)
}

// wrongRow notes that a row has the revision that was applied, and another content.
func (l *lookup) wrongRow(gen uint64, id string) error {
	err := fmt.Errorf("%w: %s", model.ErrStoreDiffers, wrongRowOf(id))
	l.trust.FoundByRead(gen, err)
	return wrongStore(wrongRowOf(id), err)
}

func wrongRowOf(id string) string {
	return fmt.Sprintf("the row of %q is not the one that was applied", id)
}

// wrongStore returns what a client is told: the database answers, but not with what this node stored there.
func wrongStore(what string, cause error) error {
	return &model.StoreError{Detail: "the node's database does not hold what this node stored: " + what + "; the node mends it from its Raft log", Cause: cause}
}

// awaitPublish waits a moment for the change that the table shows already and the index does not.
func (l *lookup) awaitPublish(ctx context.Context, seen uint64) {
	ctx, cancel := context.WithTimeout(ctx, publishWait)
	defer cancel()
	_ = l.node.WaitApplied(ctx, seen+1) // whether it came or not, the caller looks again
}
