package service

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"versiond/model"
	"versiond/service/versions"
)

// checkOrder returns why commands of a unit that is done as a whole cannot be, by their places. A request that comes again under
// its key has the outcome that it had.
func (s *VersionService) checkOrder(ctx context.Context, u *model.Unit) map[int]error {
	wrong := s.outOfOrder(ctx, u.Commands)
	if len(wrong) > 0 && u.Idempotency != nil && s.mysql.records.Decided(u.Idempotency, s.AppliedIndex()+1) {
		return nil
	}
	return wrong
}

// outOfOrder returns, by their places, the updates whose version numbers the scheme that the record keeps cannot order. This
// node's records may be old: before it refuses anything for them it waits until it has what is committed, and looks again.
// Where it cannot get there it refuses nothing; reads cope with a version number that cannot be ordered.
func (s *VersionService) outOfOrder(ctx context.Context, commands []model.Command) map[int]error {
	if len(s.outOfOrderHere(ctx, commands)) == 0 || s.reads.awaitFresh(ctx, model.ReadOptions{Level: model.LevelLinearizable}, s.reads.freshIndex, asLongAsAsked) != nil {
		return nil
	}
	return s.outOfOrderHere(ctx, commands)
}

// noRevision is one that no record has: the first entry of a log has the index 1.
const noRevision = 1

// withhold returns the commands with those that are wrong made such that the apply refuses them. To leave them out would make
// another request of it: the schemes may be others when it comes again under its key, which then has to mean the same.
func withhold(commands []model.Command, wrong map[int]error) []model.Command {
	if len(wrong) == 0 {
		return commands
	}
	commands = slices.Clone(commands)
	for i := range wrong {
		commands[i].IfRevision = noRevision
	}
	return commands
}

// withheld returns why commands that were asked for were withheld, now or when the request was decided, by their places: the
// apply found a revision that was not in their way. Of one that it refused for another reason that one is told.
func withheld(asked []model.Command, result model.UnitResult, wrong map[int]error) map[int]error {
	why := map[int]error{}
	for i, outcome := range result.Outcomes {
		if outcome.Code == model.OutcomeRevisionMismatch && wasWithheld(asked[i], outcome.Revision) {
			why[i] = cmp.Or(wrong[i], whyWithheld(result.Replayed))
		}
	}
	return why
}

// withheldOfAll is withheld for a unit that is done as a whole or not at all. A command that depends on a revision which one
// before it replaces was not withheld, though the record has that revision still.
func withheldOfAll(asked []model.Command, result model.UnitResult) map[int]error {
	why := withheld(asked, result, nil)
	maps.DeleteFunc(why, func(i int, _ error) bool {
		return asked[i].IfRevision != 0 && slices.ContainsFunc(asked[:i], func(c model.Command) bool { return c.ID == asked[i].ID })
	})
	return why
}

// wasWithheld reports whether a command whose record has a revision other than it depends on was made such.
func wasWithheld(asked model.Command, revision uint64) bool {
	return asked.IfRevision == 0 || asked.IfRevision == revision
}

// whyWithheld returns what is said of a command that the leader has withheld, now, or when the request was decided: the record
// may have got another scheme since.
func whyWithheld(before bool) error {
	if before {
		return model.Invalid("versionNo", "was no version of the scheme that the record had when this request was first decided")
	}
	return model.Invalid("versionNo", "is no version of the scheme that the record has by now; read the record, which names it")
}

// outOfOrderHere is outOfOrder by the records that this node has.
func (s *VersionService) outOfOrderHere(ctx context.Context, commands []model.Command) map[int]error {
	return s.outOfOrderBy(commands, func(id string) (model.Version, error) {
		ctx, cancel := context.WithTimeout(ctx, ownReadTimeout)
		defer cancel()
		return s.reads.lookup.storedRecord(ctx, id)
	})
}

// outOfOrderInMemory is outOfOrder by what the leader has in memory: what the node that passed a command on could not know yet
// was written a moment ago. A new leader, which may have less than that node, refuses nothing.
func (s *VersionService) outOfOrderInMemory(commands []model.Command) map[int]error {
	if !s.node.LeadsLevel() {
		return nil
	}
	return s.outOfOrderBy(commands, func(id string) (model.Version, error) {
		current, _ := s.mysql.records.Get(id)
		if row, known := s.redis.fromMemory(id, current); known {
			return row, nil
		}
		return model.Version{}, nil // without a scheme it takes any
	})
}

// outOfOrderBy is outOfOrder by rows that find returns: each command finds its record as those before it leave it. Only records
// that are updated are looked up.
func (s *VersionService) outOfOrderBy(commands []model.Command, find func(id string) (model.Version, error)) map[int]error {
	if !slices.ContainsFunc(commands, isUpdate) {
		return nil
	}
	updated := map[string]bool{}
	for _, c := range commands {
		if isUpdate(c) {
			updated[c.ID] = true
		}
	}
	wrong, left := map[int]error{}, map[string]keptRecord{}
	for i, c := range commands {
		if !updated[c.ID] {
			continue
		}
		before, known := left[c.ID]
		if !known {
			var err error
			if before, err = s.keptRecord(c, find); err != nil {
				break // the outcome is the leader's to decide, also while this node's store does not answer
			}
		}
		after, err := before.after(c)
		if err != nil {
			wrong[i] = err
		}
		left[c.ID] = after
	}
	return wrong
}

func isUpdate(c model.Command) bool { return c.Type == model.CommandUpdate }

// keptRecord is what a command finds of a record. Its revision is 0 once a command of the same unit has changed it, since nobody
// who depends on a revision knows that one yet.
type keptRecord struct {
	exists   bool
	revision uint64
	details  *model.Details
}

// keptRecord returns what this node has of a command's record, without what a delete does not need.
func (s *VersionService) keptRecord(c model.Command, find func(id string) (model.Version, error)) (keptRecord, error) {
	current, exists := s.mysql.records.Get(c.ID)
	kept := keptRecord{exists: exists, revision: current.Revision}
	if c.Type == model.CommandDelete || !current.Detailed {
		return kept, nil
	}
	row, err := find(c.ID)
	kept.details = row.Details
	return kept, err
}

// after returns what a command leaves of the record, or why it cannot be. What the apply refuses leaves it as it is.
func (k keptRecord) after(c model.Command) (keptRecord, error) {
	matches := k.exists && (c.IfRevision == 0 || c.IfRevision == k.revision)
	switch c.Type {
	case model.CommandAdd:
		if !k.exists {
			return keptRecord{exists: true, details: recordOf(c, nil).Details}, nil
		}
	case model.CommandDelete:
		if matches {
			return keptRecord{}, nil
		}
	case model.CommandUpdate:
		if !matches {
			return k, nil
		}
		record := recordOf(c, k.details)
		if err := versions.CheckRecord(record); err != nil {
			return k, err
		}
		return keptRecord{exists: true, details: record.Details}, nil
	}
	return k, nil
}
