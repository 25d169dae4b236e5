package raft

import (
	"fmt"

	"versiond/model"
	"versiond/wire"
)

// decide lets the service decide every command and stage its row. An entry that cannot be read
// stops the node: to skip it would make the nodes differ.
func (a *applier) decide(entries []entry) (outcomes [][]model.UnitOutcome, commands int, err error) {
	outcomes, a.passed = make([][]model.UnitOutcome, len(entries)), a.passed[:0]
	for i := range entries {
		var n int
		outcomes[i], n, err = a.decideEntry(&entries[i])
		if err != nil {
			a.service.DiscardInternal()
			return nil, 0, err
		}
		commands += n
		if at := entries[i].position.Index; isCheckpoint(at) {
			a.passed = append(a.passed, model.Checkpoint{Index: at, Checksum: a.service.ChecksumInternal()})
		}
	}
	return outcomes, commands, nil
}

// decideEntry returns the outcomes of the units of one entry, and how many commands they have.
func (a *applier) decideEntry(e *entry) ([]model.UnitOutcome, int, error) {
	if e.data == nil {
		return nil, 0, nil
	}
	if _, is := wire.IsRestoreStep(e.data); is {
		outcomes, err := a.decideStep(e)
		if err != nil {
			err = unreadableEntry(e, err)
		}
		return outcomes, 0, err
	}
	units, err := wire.DecodeUnits(e.data)
	if err != nil {
		return nil, 0, unreadableEntry(e, err)
	}
	outcomes := make([]model.UnitOutcome, len(units))
	decided := make([]model.Outcome, model.CountCommands(units))
	position := 0
	for i := range units {
		end := position + len(units[i].Commands)
		outcomes[i] = a.fsm.decideUnit(&units[i], e.position.Index, position, decided[position:end:end])
		position = end
	}
	return outcomes, position, nil
}

func unreadableEntry(e *entry, err error) error {
	return fmt.Errorf("log entry %d cannot be read: %w; run the release that wrote it; where that is the one that runs, %s", e.position.Index, err, model.RejoinAdvice)
}

// decideUnit decides a unit, of which the first command is the one at position of the entry at index,
// unless it was decided before.
func (f *VersionFSM) decideUnit(u *model.Unit, index uint64, position int, outcomes []model.Outcome) model.UnitOutcome {
	if u.Idempotency == nil {
		f.decideCommands(u, index, position, outcomes)
		return model.UnitOutcome{Outcomes: outcomes}
	}
	revision := model.Revision(index, position)
	if remembered, found := f.service.RecallInternal(u, revision); found {
		return remembered
	}
	f.decideCommands(u, index, position, outcomes)
	f.service.RememberInternal(u, revision, outcomes)
	return model.UnitOutcome{Outcomes: outcomes}
}

func (f *VersionFSM) decideCommands(u *model.Unit, index uint64, position int, outcomes []model.Outcome) {
	if u.Atomic {
		f.decideAtomic(u, index, position, outcomes)
		return
	}
	for i := range u.Commands {
		outcomes[i] = f.dispatch(u.Commands[i], model.Revision(index, position+i))
	}
}

// decideAtomic takes back what the unit staged when one of its commands is refused. The refusal then names
// the revision that stands: the one that stood in the way may have been the unit's own, which never was.
func (f *VersionFSM) decideAtomic(u *model.Unit, index uint64, position int, outcomes []model.Outcome) {
	f.service.BeginAtomicInternal()
	for i := range u.Commands {
		outcomes[i] = f.dispatch(u.Commands[i], model.Revision(index, position+i))
		if outcomes[i].Code != model.OutcomeDone {
			f.service.EndAtomicInternal(false)
			outcomes[i].Revision = f.service.RevisionInternal(u.Commands[i].ID)
			markNotDone(outcomes, i)
			return
		}
	}
	f.service.EndAtomicInternal(true)
}

func markNotDone(outcomes []model.Outcome, refused int) {
	for i := range outcomes {
		if i != refused {
			outcomes[i] = model.Outcome{Code: model.OutcomeNotDone}
		}
	}
}
