package raft

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"versiond/failpoint"
	"versiond/raft/snapshot"
)

// versionSnapshot is one snapshot in the making; hashicorp/raft calls Persist beside further applies.
type versionSnapshot struct {
	request  *viewRequest
	observer Observer
	ctx      context.Context // ends when it is broken off
}

// Persist waits for the view and streams it. It holds one page of records at a time.
func (s *versionSnapshot) Persist(sink raft.SnapshotSink) error {
	began, counted := time.Now(), &countedSink{SnapshotSink: sink}
	err := s.persist(counted)
	s.observer.SnapshotPersisted(counted.bytes, time.Since(began), err)
	return err
}

// countedSink knows how much was written to it.
type countedSink struct {
	raft.SnapshotSink
	bytes int64
}

func (s *countedSink) Write(p []byte) (int, error) {
	n, err := s.SnapshotSink.Write(p)
	s.bytes += int64(n)
	return n, err
}

func (s *versionSnapshot) persist(sink raft.SnapshotSink) error {
	ctx := s.ctx
	view, err := s.request.wait(ctx)
	if err != nil {
		return errors.Join(err, sink.Cancel())
	}
	failpoint.Here(failpoint.SnapshotOpened)
	err = snapshot.Write(ctx, sink, snapshot.Paced(view))
	if broken := context.Cause(ctx); broken != nil {
		err = broken
	}
	if err = errors.Join(err, view.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the snapshot: %w", err), sink.Cancel())
	}
	failpoint.Here(failpoint.SnapshotWritten)
	if err := sink.Close(); err != nil {
		return err
	}
	return context.Cause(ctx) // what was restored meanwhile is the last snapshot, not this one
}

// Release drops the view if Persist never came for it. Hashicorp/raft calls it without Persist while the members change,
// where its file cannot be made, and when it stops.
func (s *versionSnapshot) Release() { s.request.drop() }
