package service

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
	"versiond/service/versions"
)

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
		result, err := s.write(ctx, c, opts)
		if !errors.Is(err, model.ErrRevisionMismatch) || opts.IfRevision != 0 {
			return result, err
		}
	}
}
