package raftlog

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/snapshot"
)

const (
	// unfinishedSuffix is how hashicorp calls the folder of a snapshot that is being written.
	unfinishedSuffix = ".tmp"
	// damagedDir is where damaged snapshots are kept, beside the others.
	damagedDir = "snapshots-damaged"
)

// snapshotStore leaves nothing of snapshots that could not be finished, and tells the FSM which one it is handed.
type snapshotStore struct {
	raft.SnapshotStore
	path string

	mu     sync.Mutex
	making map[string]bool // the folders of snapshots that are being written
	// passedOver is the ID of a damaged one in a directory that is left as it is.
	passedOver string
}

func newSnapshots(inner raft.SnapshotStore, path string) *snapshotStore {
	return &snapshotStore{SnapshotStore: inner, path: path, making: map[string]bool{}}
}

// Open returns a stream that knows which snapshot it is of.
func (s *snapshotStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, stream, err := s.SnapshotStore.Open(id)
	if err != nil {
		return nil, nil, model.AsDamage(err)
	}
	return meta, &SnapshotStream{ReadCloser: stream, Meta: meta}, nil
}

// List returns the snapshots that count, the newest first.
func (s *snapshotStore) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	return slices.DeleteFunc(metas, func(m *raft.SnapshotMeta) bool { return m.ID == s.passedOver }), err
}

// SnapshotStream is a snapshot as hashicorp/raft hands it to the FSM.
type SnapshotStream struct {
	io.ReadCloser
	Meta *raft.SnapshotMeta
}

// MetaOf returns which snapshot hashicorp/raft hands the FSM. It need not be the newest: a leader may send an
// older one.
func MetaOf(stream io.ReadCloser) (*raft.SnapshotMeta, error) {
	if wrapper, ok := stream.(raft.ReadCloserWrapper); ok {
		stream = wrapper.WrappedReadCloser()
	}
	if s, ok := stream.(*SnapshotStream); ok {
		return s.Meta, nil
	}
	return nil, fmt.Errorf("a snapshot was handed over that is not of this node's store")
}

// tidy leaves the snapshots that count. It runs before Raft does.
func (s *snapshotStore) tidy(logs raft.LogStore, log *slog.Logger) error {
	s.removeUnfinished()
	return s.leaveOutDamaged(logs, log, func(id string) error {
		aside := filepath.Join(filepath.Dir(s.path), damagedDir)
		return errors.Join(os.RemoveAll(aside), os.Rename(filepath.Join(s.path, id), aside))
	})
}

// judge is tidy for a directory that is left as it is.
func (s *snapshotStore) judge(logs raft.LogStore, log *slog.Logger) error {
	return s.leaveOutDamaged(logs, log, func(id string) error {
		s.passedOver = id
		return nil
	})
}

// leaveOutDamaged takes the newest snapshot out of use when it cannot be read, for whatever reason, and nothing needs it,
// because the log goes back to the one before. Otherwise it stays: the store may hold what it covers, and then a new one will
// take its place; if it does not, the node says so when it would load it.
func (s *snapshotStore) leaveOutDamaged(logs raft.LogStore, log *slog.Logger, leaveOut func(id string) error) error {
	metas, err := s.List()
	if err != nil || len(metas) == 0 {
		return err
	}
	damage := s.verify(metas[0].ID)
	if damage == nil {
		return nil
	}
	before := uint64(0)
	if len(metas) > 1 && s.verify(metas[1].ID) == nil {
		before = metas[1].Index
	}
	if _, err := LastContiguous(logs, before, metas[0].Index); err != nil {
		log.Warn("the newest snapshot is damaged, and the log does not go back to the one before", "snapshot", metas[0].ID, "err", damage)
		return nil
	}
	log.Warn("the newest snapshot is damaged; the one before and the log take its place", "snapshot", metas[0].ID, "keptIn", damagedDir, "err", damage)
	return leaveOut(metas[0].ID)
}

// verify reads the file of a snapshot, which has a checksum.
func (s *snapshotStore) verify(id string) error {
	_, stream, err := s.Open(id)
	if err != nil {
		return err
	}
	return stream.Close()
}

// Create begins a snapshot of which nothing is left when it cannot be finished. Hashicorp's store leaves
// a folder behind, once more at each attempt, where the disk is full.
func (s *snapshotStore) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	s.mu.Lock()
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, transport)
	if err == nil {
		s.making[sink.ID()] = true
	}
	s.mu.Unlock()
	if err != nil {
		s.removeUnfinished()
		return nil, err
	}
	return &tidySink{SnapshotSink: sink, store: s}, nil
}

// removeUnfinished removes the folders of snapshots that nobody is writing any more.
func (s *snapshotStore) removeUnfinished() {
	s.mu.Lock()
	defer s.mu.Unlock()
	folders, _ := filepath.Glob(filepath.Join(s.path, "*"+unfinishedSuffix)) // the pattern is well formed
	for _, folder := range folders {
		if !s.making[strings.TrimSuffix(filepath.Base(folder), unfinishedSuffix)] {
			_ = os.RemoveAll(folder) // what is left is removed the next time
		}
	}
}

// tidySink is a snapshot in the making.
type tidySink struct {
	raft.SnapshotSink
	store *snapshotStore
}

// Close finishes the snapshot, or leaves nothing of it.
func (t *tidySink) Close() error { return t.end(t.SnapshotSink.Close()) }

// Cancel leaves nothing of it.
func (t *tidySink) Cancel() error { return t.end(t.SnapshotSink.Cancel()) }

func (t *tidySink) end(err error) error {
	t.store.mu.Lock()
	delete(t.store.making, t.ID())
	t.store.mu.Unlock()
	t.store.removeUnfinished()
	return err
}

// OpenSnapshot opens a snapshot of the store, which checks the file's own checksum first.
func OpenSnapshot(snapshots raft.SnapshotStore, id string) (*snapshot.Reader, error) {
	_, stream, err := snapshots.Open(id)
	if err != nil {
		return nil, fmt.Errorf("open snapshot %s: %w", id, err)
	}
	reader, err := snapshot.NewReader(stream)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot %s: %w", id, err), stream.Close())
	}
	return reader, nil
}
