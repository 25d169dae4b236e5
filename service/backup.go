package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"versiond/model"
	"versiond/raft/snapshot"
)

// backupsMax bounds the views that clients hold open for as long as they read: each has a connection to
// the database, and in the database old versions of what changes meanwhile.
const backupsMax = 2

// OpenBackup opens a view of all records, as current as opts asks, while writes go on. It returns the
// log index that the records are of, and what writes them as a backup; that function must be called,
// because it closes the view. ctx bounds the opening alone. Errors: model.ErrNoLeader, ErrTimeout,
// ErrNotCaughtUp, ErrStoreUnavailable, ErrNodeRemoved, and ErrTooManyRequests while two others are read.
func (s *VersionService) OpenBackup(ctx context.Context, opts model.ReadOptions) (index uint64, write func(context.Context, io.Writer) error, err error) {
	if err := s.awaitHere(ctx, opts); err != nil {
		return 0, nil, err
	}
	if err := s.backups.Enter(ctx); err != nil {
		return 0, nil, err
	}
	view, at, err := s.node.OpenView(ctx)
	if errors.Is(err, model.ErrNoState) {
		err = fmt.Errorf("%w: %w", model.ErrNotCaughtUp, err) // it is being built anew
	}
	if err != nil {
		s.backups.Leave()
		return 0, nil, err
	}
	header := snapshot.BackupHeader{Cluster: s.node.Identity().Cluster, Index: at.Index, Term: at.Term, Time: time.Now().UTC()}
	return at.Index, func(ctx context.Context, w io.Writer) error {
		defer s.backups.Leave()
		return errors.Join(snapshot.WriteBackup(ctx, w, header, view), view.Close())
	}, nil
}

// Restore receives a backup, checks all of it, and puts its records in the place of all records on
// every node. Errors: *model.ValidationError, ErrNoLeader and ErrNodeRemoved, after which nothing was
// changed, as after ErrTooManyRequests while another one is received or restored, and
// model.ErrOutcomeUnknown. An error of reading body is in the chain.
func (s *VersionService) Restore(ctx context.Context, body io.Reader, opts model.RestoreOptions) (model.Restored, error) {
	if err := s.restores.Enter(ctx); err != nil {
		return model.Restored{}, err
	}
	defer s.restores.Leave()
	backup, err := s.node.ReceiveBackup(ctx, body)
	if err != nil {
		return model.Restored{}, err
	}
	defer func() {
		if err := backup.Close(); err != nil {
			s.log.Warn("the file of a restored backup could not be removed", "err", err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	restored, err := s.restoreOnLeader(ctx, backup, opts)
	return restored, nothingProposed(err, s.writes.led())
}

func (s *VersionService) restoreOnLeader(ctx context.Context, backup *snapshot.Backup, opts model.RestoreOptions) (restored model.Restored, err error) {
	err = s.cluster.OnLeader(ctx, func(ctx context.Context) error {
		restored.Records = backup.Records
		restored.Index, err = s.node.Restore(ctx, backup, opts.Foreign)
		return err
	}, func(ctx context.Context, leader string) error {
		file, size := backup.Whole()
		restored, err = s.peers.Restore(ctx, leader, file, size, opts)
		return err
	})
	return restored, err
}
