package raft

import (
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/restore"
	"versiond/wire"
)

// decider decides what committed entries come to, in their order. It is the applier's, on whose goroutine it runs, and
// a Replayer's.
type decider struct {
	service VersionServiceInterface
	logs    raft.LogStore
	passed  []model.Checkpoint // on the way to what is decided, and not applied yet
	open    *restore.Open      // as of what is decided; nil when there is none
}

// decode reads the units of each entry. One that cannot be read stops the node: to skip it would make the nodes differ.
func decode(entries []entry) (units [][]model.Unit, err error) {
	units = make([][]model.Unit, len(entries))
	for i := range entries {
		e := &entries[i]
		if _, is := wire.IsRestoreStep(e.data); is || e.data == nil || wire.IsKeepChanges(e.data) {
			continue
		}
		if units[i], err = wire.DecodeUnits(e.data); err != nil {
			return nil, raftlog.UnreadableEntry(e.position.Index, err)
		}
	}
	return units, nil
}

// decide lets the service decide every command of entries, which are these units, and stage its row.
func (d *decider) decide(entries []entry, units [][]model.Unit) (outcomes [][]model.UnitOutcome, commands int, err error) {
	outcomes, d.passed = make([][]model.UnitOutcome, len(entries)), d.passed[:0]
	for i := range entries {
		var n int
		outcomes[i], n, err = d.decideEntry(&entries[i], units[i])
		if err != nil {
			d.service.DiscardInternal()
			return nil, 0, err
		}
		commands += n
		if at := entries[i].position.Index; isCheckpoint(at) {
			d.passed = append(d.passed, model.Checkpoint{Index: at, Checksum: d.service.ChecksumInternal()})
		}
	}
	return outcomes, commands, nil
}

// decideEntry returns the outcomes of the units of one entry, and how many commands it is stored for. One from which on changes
// are kept counts as a command; the steps of a restore change nothing here, and count for nothing.
func (d *decider) decideEntry(e *entry, units []model.Unit) ([]model.UnitOutcome, int, error) {
	if e.data == nil {
		return nil, 0, nil
	}
	if wire.IsKeepChanges(e.data) {
		d.service.KeepChangesInternal(model.Revision(e.position.Index, 0))
		return outcomeOfStep(e, model.OutcomeDone), 1, nil
	}
	if _, is := wire.IsRestoreStep(e.data); is {
		outcomes, err := d.decideStep(e)
		if err != nil {
			err = raftlog.UnreadableEntry(e.position.Index, err)
		}
		return outcomes, 0, err
	}
	outcomes := make([]model.UnitOutcome, len(units))
	decided := make([]model.Outcome, model.CountCommands(units))
	position := 0
	for i := range units {
		end := position + len(units[i].Commands)
		outcomes[i] = d.decideUnit(&units[i], e.position.Index, position, decided[position:end:end])
		position = end
	}
	return outcomes, position, nil
}

// decideUnit decides a unit, of which the first command is the one at position of the entry at index,
// unless it was decided before.
func (d *decider) decideUnit(u *model.Unit, index uint64, position int, outcomes []model.Outcome) model.UnitOutcome {
	if u.Idempotency == nil {
		d.decideCommands(u, index, position, outcomes)
		return model.UnitOutcome{Outcomes: outcomes}
	}
	revision := model.Revision(index, position)
	if remembered, found := d.service.RecallInternal(u, revision); found {
		return remembered
	}
	d.decideCommands(u, index, position, outcomes)
	d.service.RememberInternal(u, revision, outcomes)
	return model.UnitOutcome{Outcomes: outcomes}
}

func (d *decider) decideCommands(u *model.Unit, index uint64, position int, outcomes []model.Outcome) {
	if u.Atomic {
		d.decideAtomic(u, index, position, outcomes)
		return
	}
	for i := range u.Commands {
		outcomes[i] = d.dispatch(u.Commands[i], model.Revision(index, position+i), u.Origin)
	}
}

// decideAtomic takes back what the unit staged when one of its commands is refused. The refusal then names
// the revision that stands: the one that stood in the way may have been the unit's own, which never was.
func (d *decider) decideAtomic(u *model.Unit, index uint64, position int, outcomes []model.Outcome) {
	d.service.BeginAtomicInternal()
	for i := range u.Commands {
		outcomes[i] = d.dispatch(u.Commands[i], model.Revision(index, position+i), u.Origin)
		if outcomes[i].Code != model.OutcomeDone {
			d.service.EndAtomicInternal(false)
			outcomes[i].Revision = d.service.RevisionInternal(u.Commands[i].ID)
			markNotDone(outcomes, i)
			return
		}
	}
	d.service.EndAtomicInternal(true)
}

func markNotDone(outcomes []model.Outcome, refused int) {
	for i := range outcomes {
		if i != refused {
			outcomes[i] = model.Outcome{Code: model.OutcomeNotDone}
		}
	}
}

// dispatch lets the service decide one command. An unknown type cannot come this far: decoding
// refuses it, and a node that guessed would differ from the others.
func (d *decider) dispatch(command model.Command, revision uint64, origin *model.Origin) model.Outcome {
	switch command.Type {
	case model.CommandAdd:
		return d.service.AddVersionInternal(command, revision, origin)
	case model.CommandUpdate:
		return d.service.UpdateVersionInternal(command, revision, origin)
	case model.CommandDelete:
		return d.service.DeleteVersionInternal(command, revision, origin)
	}
	panic(fmt.Sprintf("command type %d passed the decoder", command.Type))
}
