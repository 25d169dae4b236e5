package controller_test

import (
	"cmp"
	"context"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"versiond/model"
	"versiond/service/changes"
	"versiond/service/versions"
)

// fakeService keeps records in a map with the semantics of the real one: revisions that only grow,
// conditional writes, an applied index. fault, when set, is what every call returns instead.
type fakeService struct {
	mu      sync.Mutex
	index   uint64
	records map[string]model.VersionDB
	members map[string]model.Member
	checks  []model.Check
	fault   error
	panics  any
	// unread is why watchers cannot be told of the records.
	unread error
	// wrong is why commands of the next batch cannot be done, by their places.
	wrong map[int]error
	// remembered is what keys came to.
	remembered map[string]memory
	// hub passes the changes on to watchers; all of them are kept.
	hub     *changes.Hub
	changes []model.Change

	// What the last call was given.
	ctx     context.Context
	opts    model.ReadOptions
	origin  *model.Origin
	watched changes.Request
	force   bool
	restore model.RestoreOptions
	// writing is told when an endless backup has begun.
	writing chan struct{}
}

type memory struct {
	unit    model.Unit
	outcome model.UnitOutcome
}

func newFakeService() *fakeService {
	f := &fakeService{
		index:      7,
		hub:        changes.NewHub(2),
		remembered: map[string]memory{},
		writing:    make(chan struct{}),
		records:    map[string]model.VersionDB{"known": {ID: "known", VersionNo: "1.0.0", Platform: "linux", Revision: model.Revision(7, 0)}},
		members:    map[string]model.Member{"node1": {ID: "node1", Address: "127.0.0.1:7001", Port: 8081, Voter: true}},
		checks:     []model.Check{{Name: "leader", OK: true}, {Name: "store", OK: true}},
	}
	f.hub.Reset(changesFloor, 0)
	return f
}

// changesFloor is the revision from which on a fakeService knows all changes.
var changesFloor = model.Revision(7, 0)

// reset takes back what requests have done.
func (f *fakeService) reset() {
	fresh := newFakeService()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index, f.records, f.members = fresh.index, fresh.records, fresh.members
}

// begin is called by every method: it locks until the returned function runs.
func (f *fakeService) begin(ctx context.Context) (end func()) {
	f.mu.Lock()
	f.ctx = ctx
	if f.panics != nil {
		defer f.mu.Unlock()
		panic(f.panics)
	}
	return f.mu.Unlock
}

// snapshot copies what a refused request must not change.
func (f *fakeService) snapshot() (uint64, map[string]model.VersionDB, map[string]model.Member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.index, maps.Clone(f.records), maps.Clone(f.members)
}

func (f *fakeService) NodeID() string { return "node1" }

func (f *fakeService) AppliedIndex() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.index
}

func (f *fakeService) AddVersion(ctx context.Context, record model.VersionDB, opts model.WriteOptions) (model.Result, error) {
	command := model.Command{Type: model.CommandAdd, ID: record.ID, VersionNo: record.VersionNo, Platform: record.Platform, Details: record.Details, DetailNames: record.DetailNames()}
	return f.write(ctx, command, opts)
}

func (f *fakeService) UpdateVersion(ctx context.Context, record model.VersionDB, opts model.WriteOptions) (model.Result, error) {
	command := model.Command{Type: model.CommandUpdate, ID: record.ID, VersionNo: record.VersionNo, Platform: record.Platform,
		IfRevision: opts.IfRevision, Details: record.Details, DetailNames: opts.DetailNames}
	return f.write(ctx, command, opts)
}

func (f *fakeService) DeleteVersion(ctx context.Context, id string, opts model.WriteOptions) (model.Result, error) {
	return f.write(ctx, model.Command{Type: model.CommandDelete, ID: id, IfRevision: opts.IfRevision}, opts)
}

func (f *fakeService) write(ctx context.Context, command model.Command, opts model.WriteOptions) (model.Result, error) {
	defer f.begin(ctx)()
	f.origin = opts.Origin
	if f.fault != nil {
		return model.Result{}, f.fault
	}
	decided := f.once(model.Single(command), opts.Key)
	outcome := decided.Outcomes[0]
	result := model.Result{Record: model.VersionDB{Revision: outcome.Revision}, Index: f.index, Replayed: decided.Replayed}
	if outcome.Code == model.OutcomeDone {
		result.Record = command.Record(outcome.Details, outcome.Revision)
	}
	return result, outcome.Err()
}

// once decides a unit unless its key is remembered.
func (f *fakeService) once(u model.Unit, key string) model.UnitOutcome {
	earlier, found := f.remembered[key]
	switch {
	case key == "":
		return f.applyUnit(u)
	case !found:
		outcome := f.applyUnit(u)
		f.remembered[key] = memory{unit: u, outcome: outcome}
		return outcome
	case !reflect.DeepEqual(earlier.unit, u):
		return model.UnitOutcome{Outcomes: slices.Repeat([]model.Outcome{{Code: model.OutcomeKeyReused}}, len(u.Commands))}
	}
	earlier.outcome.Replayed = true
	return earlier.outcome
}

// apply decides one command; only one that changes a record moves the index.
func (f *fakeService) apply(command model.Command) model.Outcome {
	old, exists := f.records[command.ID]
	switch {
	case command.Type == model.CommandAdd && exists:
		return model.Outcome{Code: model.OutcomeAlreadyExists, Revision: old.Revision}
	case command.Type != model.CommandAdd && !exists:
		return model.Outcome{Code: model.OutcomeNotFound}
	case command.IfRevision != 0 && command.IfRevision != old.Revision:
		return model.Outcome{Code: model.OutcomeRevisionMismatch, Revision: old.Revision}
	}
	f.index++
	revision := model.Revision(f.index, 0)
	done := model.Outcome{Code: model.OutcomeDone, Revision: revision}
	change := model.Change{Revision: revision, Op: model.ChangeDelete, ID: command.ID, Platform: old.Platform}
	if command.Type != model.CommandDelete {
		change.Op, change.VersionNo, change.Platform = model.ChangeUpdate, command.VersionNo, command.Platform
	}
	f.changes = append(f.changes, change)
	f.hub.Publish(f.changes[len(f.changes)-1:], changesFloor)
	if command.Type == model.CommandDelete {
		delete(f.records, command.ID)
		return done
	}
	done.Details = old.Merge(command.Details, command.DetailNames)
	f.records[command.ID] = command.Record(done.Details, revision)
	return done
}

func (f *fakeService) GetVersionByID(ctx context.Context, id string, opts model.ReadOptions) (model.Result, error) {
	defer f.begin(ctx)()
	f.opts = opts
	record, exists := f.records[id]
	switch {
	case f.fault != nil:
		return model.Result{}, f.fault
	case opts.MinIndex > f.index:
		return model.Result{}, model.ErrTimeout
	case !exists:
		return model.Result{Index: f.index}, model.ErrNotFound
	}
	return model.Result{Record: record, Index: f.index}, nil
}

func (f *fakeService) ListVersions(ctx context.Context, list model.ListOptions, opts model.ReadOptions) (model.Page, uint64, error) {
	defer f.begin(ctx)()
	f.opts = opts
	if f.fault != nil {
		return model.Page{}, 0, f.fault
	}
	var page model.Page
	for _, id := range slices.Sorted(maps.Keys(f.records)) {
		record := f.records[id]
		if id <= list.After || !strings.HasPrefix(id, list.Prefix) || (list.Platform != "" && record.Platform != list.Platform) {
			continue
		}
		if len(page.Items) == list.Limit {
			page.Next = page.Items[len(page.Items)-1].ID
			break
		}
		page.Items = append(page.Items, record)
	}
	return page, f.index, nil
}

// History has an update and a create of every record.
func (f *fakeService) History(ctx context.Context, which model.HistoryOptions, opts model.ReadOptions) (model.History, uint64, error) {
	defer f.begin(ctx)()
	f.opts = opts
	if f.fault != nil {
		return model.History{}, 0, f.fault
	}
	record, exists := f.records[which.ID]
	if !exists {
		return model.History{}, f.index, model.ErrNotFound
	}
	all := []model.Change{
		{Revision: record.Revision, Op: model.ChangeUpdate, ID: record.ID, VersionNo: record.VersionNo, Platform: record.Platform, WasPlatform: "ios", At: 1_700_000_000_123, By: "ci"},
		{Revision: record.Revision - 1, Op: model.ChangeCreate, ID: record.ID, VersionNo: record.VersionNo, Platform: "ios"},
	}
	history := model.History{Complete: true}
	for _, c := range all {
		switch {
		case which.Before != 0 && c.Revision >= which.Before:
		case len(history.Items) == which.Limit:
			history.Next = history.Items[which.Limit-1].Revision
		default:
			history.Items = append(history.Items, c)
		}
	}
	return history, f.index, nil
}

func (f *fakeService) Candidates(ctx context.Context, which model.Candidates, opts model.ReadOptions) (versions.Ranked, uint64, error) {
	defer f.begin(ctx)()
	f.opts = opts
	if f.fault != nil {
		return versions.Ranked{}, 0, f.fault
	}
	var records []model.VersionDB
	for id, record := range f.records {
		listed := slices.Contains(which.IDs, id) || len(which.IDs) == 0 && strings.HasPrefix(id, which.Prefix)
		if listed && (which.Platform == "" || which.Platform == record.Platform) {
			records = append(records, record)
		}
	}
	return versions.Rank(records), f.index, nil
}

func (f *fakeService) JoinRaftCluster(ctx context.Context, id, address string, voter bool) (model.Member, error) {
	defer f.begin(ctx)()
	if f.fault != nil {
		return model.Member{}, f.fault
	}
	f.members[id] = model.Member{ID: id, Address: address, Port: 8084, Voter: voter}
	return f.members[id], nil
}

func (f *fakeService) DeleteFatalPeer(ctx context.Context, id string, force bool) error {
	defer f.begin(ctx)()
	f.force = force
	if f.fault != nil {
		return f.fault
	}
	if _, exists := f.members[id]; !exists {
		return model.ErrNoSuchMember
	}
	delete(f.members, id)
	return nil
}

func (f *fakeService) Leader(ctx context.Context) (model.Leader, error) {
	defer f.begin(ctx)()
	return model.Leader{ID: "node1", Address: "127.0.0.1:7001", Port: 8081}, f.fault
}

func (f *fakeService) TransferLeadership(ctx context.Context, id string) (model.Leader, error) {
	defer f.begin(ctx)()
	member, exists := f.members[id]
	if !exists {
		return model.Leader{}, cmp.Or(f.fault, model.ErrNoSuchMember)
	}
	return model.Leader{ID: member.ID, Address: member.Address, Port: member.Port}, f.fault
}

func (f *fakeService) Peers(ctx context.Context) (model.Peers, error) {
	defer f.begin(ctx)()
	var peers model.Peers
	for _, id := range slices.Sorted(maps.Keys(f.members)) {
		m := f.members[id]
		peers.Members = append(peers.Members, model.PeerStatus{ID: m.ID, Address: m.Address, Port: m.Port, Suffrage: model.SuffrageVoter, Reachable: true})
	}
	return peers, f.fault
}

func (f *fakeService) ApplyCommands(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	defer f.begin(ctx)()
	if f.fault != nil {
		return nil, 0, f.fault
	}
	outcomes := make([]model.UnitOutcome, len(units))
	for i, u := range units {
		outcomes[i] = f.applyUnit(u)
	}
	return outcomes, f.index, nil
}

func (f *fakeService) WriteBatch(ctx context.Context, u model.Unit, key string) (model.UnitResult, error) {
	defer f.begin(ctx)()
	if f.fault != nil {
		return model.UnitResult{}, f.fault
	}
	f.origin, u.Origin = u.Origin, nil
	return model.UnitResult{UnitOutcome: f.once(u, key), Index: f.index, Wrong: f.wrong}, nil
}

func (f *fakeService) applyUnit(u model.Unit) (outcome model.UnitOutcome) {
	records, index := maps.Clone(f.records), f.index
	for _, c := range u.Commands {
		outcome.Outcomes = append(outcome.Outcomes, f.apply(c))
	}
	position, refused := outcome.Refused()
	if !refused || !u.Atomic {
		return outcome
	}
	f.records, f.index = records, index
	outcome.Outcomes[position].Revision = records[u.Commands[position].ID].Revision
	for i := range outcome.Outcomes {
		if i != position {
			outcome.Outcomes[i] = model.Outcome{Code: model.OutcomeNotDone}
		}
	}
	return outcome
}

// OpenBackup writes the ids of the records, one a line, and breaks off at one that is called broken.
func (f *fakeService) OpenBackup(ctx context.Context, opts model.ReadOptions) (uint64, func(context.Context, io.Writer) error, error) {
	defer f.begin(ctx)()
	f.opts = opts
	ids := slices.Sorted(maps.Keys(f.records))
	return f.index, func(writing context.Context, w io.Writer) error {
		for _, id := range ids {
			switch id {
			case "broken":
				return model.ErrStoreUnavailable
			case "endless":
				f.writing <- struct{}{}
				<-writing.Done()
				return context.Cause(writing)
			}
			if _, err := io.WriteString(w, id+"\n"); err != nil {
				return err
			}
		}
		return nil
	}, f.fault
}

// Restore takes any body for a backup of one record.
func (f *fakeService) Restore(ctx context.Context, body io.Reader, opts model.RestoreOptions) (model.Restored, error) {
	defer f.begin(ctx)()
	f.restore = opts
	data, err := io.ReadAll(body)
	if err = cmp.Or(f.fault, err); err != nil {
		return model.Restored{}, err
	}
	f.index++
	clear(f.records)
	f.records[string(data)] = model.VersionDB{ID: string(data)}
	return model.Restored{Records: 1, Index: f.index}, nil
}

func (f *fakeService) Readiness(ctx context.Context) []model.Check {
	defer f.begin(ctx)()
	return f.checks
}

func (f *fakeService) Watch(ctx context.Context, request changes.Request, opts model.ReadOptions) (*changes.Watcher, error) {
	end := f.begin(ctx)
	f.opts, f.watched = opts, request
	end()
	if f.fault != nil {
		return nil, f.fault
	}
	return f.hub.Watch(watchedFake{f}, request)
}

// watchedFake is a fakeService as watchers ask it.
type watchedFake struct{ *fakeService }

func (f watchedFake) Page(ctx context.Context, list model.ListOptions) (model.Page, uint64, error) {
	if f.unread != nil {
		return model.Page{}, 0, f.unread
	}
	return f.ListVersions(ctx, list, model.ReadOptions{})
}

func (f watchedFake) ChangesAfter(_ context.Context, revision uint64, limit int) ([]model.Change, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, _ := slices.BinarySearchFunc(f.changes, revision+1, func(c model.Change, revision uint64) int { return cmp.Compare(c.Revision, revision) })
	return slices.Clone(f.changes[at:min(len(f.changes), at+limit)]), changesFloor, nil
}

func (watchedFake) Fit() error { return nil }
