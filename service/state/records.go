// Package state keeps what a node knows of its records without reading them: the revision, the hash and the platform of each,
// what is staged, what was answered under an idempotency key, which changes are kept, and the checksum of all of it.
package state

import (
	"slices"
	"sync/atomic"

	"versiond/model"
	"versiond/wire"
)

// Records is what is known of all records. Any goroutine may call Get, Len, Floor, History and Decided; everything else is the
// applier's alone.
type Records struct {
	index  *index
	dedup  *dedup
	log    *changeLog
	sum    Sum // of what index, dedup and log hold
	floor  atomic.Uint64
	staged *stage
	// learnt has the details of rows that updates are about to be decided for.
	learnt map[string]*model.Details
}

// New returns Records that hold nothing yet.
func New(dedup DedupLimits, changes ChangeLimits) *Records {
	x := newIndex()
	return &Records{index: x, dedup: newDedup(dedup), log: newChangeLog(changes, x.hash), staged: newStage(), learnt: map[string]*model.Details{}}
}

// Get returns the mark of a record's current row, as readers may see it.
func (r *Records) Get(id string) (current Mark, exists bool) { return r.index.get(id) }

// Len returns how many records there are.
func (r *Records) Len() int { return r.index.len() }

// History returns what is known of the published changes of an id, as readers may see it: the marks of up to limit of them with
// revisions below before, or of the newest where that is 0, the newest first, and that of the oldest of all.
func (r *Records) History(id string, before uint64, limit int) (marks []ChangeMark, oldest ChangeMark) {
	return r.log.history(id, before, limit)
}

// Floor returns the revision after which every change is kept, as readers may see it; 0 while none are.
func (r *Records) Floor() uint64 { return r.floor.Load() }

// Staged is Get with what is staged; the applier decides by it.
func (r *Records) Staged(id string) (current Mark, exists bool) {
	if c, ok := r.staged.changes[id]; ok {
		return c.mark(), !c.Deleted
	}
	return r.index.get(id)
}

// Stage stages what becomes of an id, and the change that it is. The platform of what is deleted is what it had.
func (r *Records) Stage(c Change, origin *model.Origin) {
	before, existed := r.Staged(c.ID)
	platform := r.platform(c.ID)
	if c.Deleted {
		c.Platform = platform
	}
	if existed {
		r.staged.sum.remove(before)
	}
	r.staged.detailed = r.staged.detailed || before.Detailed || c.Details != nil
	if !c.Deleted {
		c.hash = r.staged.sum.Add(&c.Version).hash
	}
	r.staged.put(c)
	r.log.stage(changeOf(&c, platform, origin), &r.staged.sum)
}

// platform returns that of a record with what is staged, empty where there is none.
func (r *Records) platform(id string) string {
	if c, ok := r.staged.changes[id]; ok && c.Deleted {
		return ""
	} else if ok {
		return c.Platform
	}
	return r.index.platform(id)
}

// KeepChanges stages that the changes after a revision are kept from now on, unless they are.
func (r *Records) KeepChanges(revision uint64) { r.log.begin(revision) }

// ChangesFrom returns the revision after which every change is kept, with what is staged; 0 before any are.
func (r *Records) ChangesFrom() uint64 { return r.log.from }

// NewestChange returns the revision of the newest change that is kept, with what is staged; 0 for none.
func (r *Records) NewestChange() uint64 { return r.log.places[r.log.places[0].before].revision }

// Unknown returns the ids of the rows whose details decide what these units make of them: of those that an update
// may leave as they are. Each comes once, and Learn has to be told of it.
func (r *Records) Unknown(units [][]model.Unit) (ids []string) {
	for _, ofEntry := range units {
		for i := range ofEntry {
			ids = r.appendUnknown(ids, ofEntry[i].Commands)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (r *Records) appendUnknown(ids []string, commands []model.Command) []string {
	for i := range commands {
		c := &commands[i]
		if c.Type != model.CommandUpdate || c.DetailNames == model.DetailsAll {
			continue
		}
		if current, exists := r.index.get(c.ID); exists && current.Detailed {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Learn takes rows of the store until the next Publish or Discard. It reports whether they are the current ones.
func (r *Records) Learn(rows []model.Version) bool {
	for i := range rows {
		if current, exists := r.index.get(rows[i].ID); !exists || current != MarkOf(&rows[i]) {
			return false
		}
		r.learnt[rows[i].ID] = rows[i].Details
	}
	return true
}

// Details returns those of a record with what is staged. They have to be staged, or learnt.
func (r *Records) Details(id string) *model.Details {
	if c, ok := r.staged.changes[id]; ok {
		return c.Details
	}
	return r.learnt[id]
}

// Begin lets End take back what is staged from now on.
func (r *Records) Begin() {
	r.staged.begin()
	r.log.hold()
}

// End keeps what was staged since Begin, or takes it back.
func (r *Records) End(keep bool) {
	r.staged.end(keep)
	r.log.release(keep, &r.staged.sum)
}

// Recall returns the outcome of an earlier request with the unit's key, or the refusal of a key that was used for
// another request.
func (r *Records) Recall(u *model.Unit, revision uint64) (outcome model.UnitOutcome, found bool) {
	record, found := r.dedup.find(u.Idempotency.Key, model.IndexOf(revision))
	if !found {
		return outcome, false
	}
	outcomes, err := wire.UnpackOutcomes(&record) // it could be when it was loaded
	if err != nil || record.Request != u.Idempotency.Request || len(outcomes) != len(u.Commands) {
		return keyReused(len(u.Commands)), true
	}
	for i, c := range u.Commands {
		if outcomes[i].Code == model.OutcomeDone && c.Type != model.CommandDelete {
			outcomes[i].Details = c.Details.Merge(nil, 0)
		}
	}
	return model.UnitOutcome{Outcomes: outcomes, Replayed: true}, true
}

// Decided reports whether this request is remembered under its key when the entry at index is decided. Any goroutine may call
// it.
func (r *Records) Decided(request *model.Idempotency, index uint64) bool {
	return r.dedup.decided(request, index)
}

func keyReused(commands int) model.UnitOutcome {
	outcomes := make([]model.Outcome, commands)
	for i := range outcomes {
		outcomes[i].Code = model.OutcomeKeyReused
	}
	return model.UnitOutcome{Outcomes: outcomes}
}

// Remember stages what a unit with a key came to.
func (r *Records) Remember(u *model.Unit, revision uint64, outcomes []model.Outcome) {
	record := model.DedupRecord{Idempotency: *u.Idempotency, Revision: revision, Outcomes: wire.PackOutcomes(outcomes)}
	forgotten := r.dedup.stage(record)
	for i := range forgotten {
		r.staged.sum.removeDedup(&forgotten[i])
	}
	r.staged.sum.AddDedup(&record)
}

// Sum returns that of what was published.
func (r *Records) Sum() Sum { return r.sum }

// StagedSum returns Sum with what is staged.
func (r *Records) StagedSum() Sum {
	return Sum{records: r.sum.records + r.staged.sum.records, hashes: r.sum.hashes + r.staged.sum.hashes, from: r.log.from}
}

// Changes returns what is staged, as the store has to be told. It stays staged.
func (r *Records) Changes() (changes model.Changes) {
	changes.Upserts, changes.Deletes = r.staged.rows()
	changes.Plain = !r.staged.detailed
	changes.DedupRecords, changes.Forget = r.dedup.changes()
	changes.Log, changes.LetGo, changes.LetGoToo = r.log.changes()
	return changes
}

// Publish shows readers what is staged, and returns it: what became of each id, in the order of their first appearance, and
// all changes that are kept, in the order of the log.
func (r *Records) Publish() ([]Change, []model.Change) {
	clear(r.learnt)
	r.sum = r.StagedSum()
	r.dedup.publish()
	changes := r.staged.take()
	for _, c := range changes {
		if c.Deleted {
			r.index.remove(c.ID)
		} else {
			r.index.set(c.ID, c.mark(), c.Platform)
		}
	}
	r.floor.Store(r.log.from)
	return changes, r.log.publish()
}

// Discard forgets what is staged.
func (r *Records) Discard() {
	clear(r.learnt)
	r.staged.take()
	r.dedup.discard()
	r.log.discard()
}

// Clear forgets everything, for the store's rows to be loaded.
func (r *Records) Clear() {
	clear(r.learnt)
	r.index.clear()
	r.dedup.clear()
	r.log.clear()
	r.floor.Store(0)
	r.staged.take()
	r.sum = Sum{}
}

// Load takes a row of the store.
func (r *Records) Load(v *model.Version) { r.index.set(v.ID, r.sum.Add(v), v.Platform) }

// LoadDedup takes a dedup record of the store, which come in the order of the log. An error matches model.ErrCorrupt.
func (r *Records) LoadDedup(d *model.DedupRecord) error {
	if _, err := wire.UnpackOutcomes(d); err != nil {
		return err
	}
	r.sum.AddDedup(d)
	r.dedup.load(*d)
	return nil
}

// LoadChange takes a change of the store, which come in the order of the log.
func (r *Records) LoadChange(c *model.Change) { r.log.load(c, r.sum.AddChange(c)) }

// LoadChangesFrom takes the revision after which every change is in the store, 0 when none are kept.
func (r *Records) LoadChangesFrom(revision uint64) {
	r.log.loadFrom(revision)
	r.floor.Store(revision)
	r.sum.SetChangesFrom(revision)
}
