package recovery

import (
	"errors"
	"fmt"

	hashicorp "github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/raft/snapshot"
)

// recoveryGap is how many log indexes a recovered cluster leaves out. The nodes that are gone may have
// had entries that the survivor lacks, and clients may still know the revisions that those made: an
// If-Match must not take another record for one of them. It is a month of 100 entries a second; of
// the indexes of which revisions stay exact in JavaScript, it leaves enough for 8,000 recoveries.
const recoveryGap = 1 << 28

// gatedSnapshots lets a snapshot be made once pass agrees, recoveryGap above what it is of. It is the
// first thing that RecoverCluster writes, when everything has been replayed.
type gatedSnapshots struct {
	hashicorp.SnapshotStore
	pass func(last model.Position) error
	err  error
}

func (s *gatedSnapshots) Create(version hashicorp.SnapshotVersion, index, term uint64, members hashicorp.Configuration, membersIndex uint64, transport hashicorp.Transport) (hashicorp.SnapshotSink, error) {
	if s.err = s.pass(model.Position{Index: index, Term: term}); s.err != nil {
		return nil, s.err
	}
	return s.SnapshotStore.Create(version, index+recoveryGap, term, members, membersIndex, transport)
}

// guardedLog is cut off only if before agrees.
type guardedLog struct {
	hashicorp.LogStore
	before func() error
}

func (l *guardedLog) DeleteRange(first, last uint64) error {
	if err := l.before(); err != nil {
		return err
	}
	return l.LogStore.DeleteRange(first, last)
}

// checkNewest reads the newest snapshot to its end.
func checkNewest(snapshots hashicorp.SnapshotStore, records uint64) error {
	meta, err := raftlog.NewestSnapshot(snapshots)
	if err != nil {
		return err
	}
	reader, err := raftlog.OpenSnapshot(snapshots, meta.ID)
	if err != nil {
		return err
	}
	for err == nil {
		_, err = reader.NextRecord()
	}
	if snapshot.IsEnd(err) {
		err = nil
	}
	if err == nil && reader.Rows() != records {
		err = fmt.Errorf("%w: the new snapshot holds %d records, not %d", model.ErrCorrupt, reader.Rows(), records)
	}
	return errors.Join(err, reader.Close())
}
