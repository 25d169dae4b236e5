package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"versiond/model"
	"versiond/service/versions"
	"versiond/wire"
)

// AddVersion creates a record: model.ErrAlreadyExists when the id is taken. With a key, here and below, a
// request that was decided before has the same result again, and model.ErrIdempotencyKeyReused says that
// the key was used for another one.
func (s *VersionService) AddVersion(ctx context.Context, record model.VersionDB, opts model.WriteOptions) (model.Result, error) {
	c := model.NewCommand(model.CommandAdd, record)
	c.DetailNames = record.DetailNames()
	return s.writes.write(ctx, single(c, opts))
}

// UpdateVersion replaces a record, but for the details that opts.DetailNames does not name: model.ErrNotFound, and
// model.ErrRevisionMismatch when opts.IfRevision is neither 0 nor the record's revision. With opts.Newer, which goes with no
// key, also model.ErrNotNewer.
func (s *VersionService) UpdateVersion(ctx context.Context, record model.VersionDB, opts model.WriteOptions) (model.Result, error) {
	c := model.NewCommand(model.CommandUpdate, record)
	c.DetailNames, c.IfRevision = opts.DetailNames, opts.IfRevision
	if opts.Newer {
		return s.updateNewer(ctx, c, opts)
	}
	unit := single(c, opts)
	if err := s.checkOrder(ctx, &unit)[0]; err != nil {
		return model.Result{}, err
	}
	result, err := s.writes.write(ctx, unit)
	if errors.Is(err, model.ErrRevisionMismatch) && wasWithheld(c, result.Record.Revision) {
		return model.Result{Index: result.Index}, whyWithheld(result.Replayed)
	}
	return result, err
}

// DeleteVersion removes a record, with the errors of UpdateVersion.
func (s *VersionService) DeleteVersion(ctx context.Context, id string, opts model.WriteOptions) (model.Result, error) {
	return s.writes.write(ctx, single(model.Command{Type: model.CommandDelete, ID: id, IfRevision: opts.IfRevision}, opts))
}

// WriteBatch decides all commands of a unit, in their order. Refusals are outcomes; an error says that
// nothing was decided, or, with model.ErrOutcomeUnknown, that nobody knows; a *model.ItemsError says which commands of an
// atomic unit cannot be. Those of another one are refused alone.
func (s *VersionService) WriteBatch(ctx context.Context, unit model.Unit, key string) (model.UnitResult, error) {
	if err := validateUnit(unit); err != nil {
		return model.UnitResult{}, err
	}
	if key != "" {
		unit.Idempotency = wire.NewIdempotency(key, &unit, true)
	}
	began := time.Now()
	result, err := s.decideBatch(ctx, unit)
	var wrong *model.ItemsError
	if !errors.As(err, &wrong) {
		s.settings.Observer.BatchWritten(unit, result, err, time.Since(began))
	}
	return result, err
}

// decideBatch has a unit decided, of which some commands may turn out to be wrong.
func (s *VersionService) decideBatch(ctx context.Context, unit model.Unit) (model.UnitResult, error) {
	if unit.Atomic {
		if wrong := s.checkOrder(ctx, &unit); len(wrong) > 0 {
			return model.UnitResult{}, &model.ItemsError{Items: wrong}
		}
		result, err := s.writes.submit(ctx, unit)
		if wrong := withheldOfAll(unit.Commands, result); err == nil && len(wrong) > 0 {
			return model.UnitResult{Index: result.Index}, &model.ItemsError{Items: wrong}
		}
		return result, err
	}
	asked, wrong := unit.Commands, s.outOfOrder(ctx, unit.Commands)
	unit.Commands = withhold(asked, wrong)
	result, err := s.writes.submit(ctx, unit)
	result.Wrong = withheld(asked, result, wrong)
	return result, err
}

// validateUnit checks once more what the controller has: what reaches the log is there for ever.
func validateUnit(unit model.Unit) error {
	n, bytes := len(unit.Commands), wire.UnitBytes(&model.Unit{Commands: unit.Commands}) // as clients count them
	if n == 0 || n > model.UnitCommandsMax || bytes > wire.UnitBytesMax {
		return fmt.Errorf("%w: a batch of %d items, %d bytes", model.ErrInvalid, n, bytes)
	}
	if !unit.Origin.Valid() {
		return fmt.Errorf("%w: the origin of a unit", model.ErrInvalid)
	}
	for _, c := range unit.Commands {
		if err := model.ValidateCommand(c); err != nil {
			return err
		}
	}
	return nil
}

// ApplyCommands proposes units of commands that another node passes on to the leader, and returns their outcomes and
// the applied index that they reflect. model.ErrNotLeader on every other node, and model.ErrInvalid, for all
// of them, where one breaks a rule: what is in the log once, every node has to store. A version number that the scheme of a
// record cannot order is withheld, as the node that passes it on may not have the record yet.
func (s *VersionService) ApplyCommands(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	for i := range units {
		if err := validateUnit(units[i]); err != nil {
			return nil, 0, err
		}
		units[i].Commands = withhold(units[i].Commands, s.outOfOrderInMemory(units[i].Commands))
	}
	return s.writes.propose(ctx, units)
}

// updateNewer does an update only if its version comes after the record's: model.ErrNotNewer. It depends on the revision of
// the record that it compared with, so that the apply needs no order, and compares again when that has changed.
func (s *VersionService) updateNewer(ctx context.Context, c model.Command, opts model.WriteOptions) (model.Result, error) {
	for {
		current, err := s.GetVersionByID(ctx, c.ID, model.ReadOptions{Level: model.LevelLinearizable})
		if ctx.Err() != nil {
			err = fmt.Errorf("%w (%v)", model.ErrTimeout, ctx.Err()) // %v: nothing was asked for whose outcome could be open
		}
		if err != nil {
			return current, err
		}
		if opts.IfRevision != 0 && opts.IfRevision != current.Record.Revision {
			return current, model.ErrRevisionMismatch
		}
		newer, err := versions.ComesAfter(recordOf(c, current.Record.Details), current.Record)
		if err != nil {
			return model.Result{Index: current.Index}, err
		}
		if !newer {
			return current, model.ErrNotNewer
		}
		c.IfRevision = current.Record.Revision
		result, err := s.writes.write(ctx, single(c, opts))
		if !errors.Is(err, model.ErrRevisionMismatch) || opts.IfRevision != 0 {
			return result, err
		}
	}
}
