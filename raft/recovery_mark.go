package raft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/raft"
)

// RecoverySource says what a cluster is recovered from.
type RecoverySource string

// The sources of a recovery.
const (
	// FromLog is a data directory that was left over.
	FromLog RecoverySource = "log"
	// FromDatabase is a database that was kept while every data directory is gone.
	FromDatabase RecoverySource = "database"
)

// recoveryMark stands in identity.json from before the first change of the Raft state until after
// the last one. In between the directory is of use to nobody but another recovery, which goes on with
// the same cluster ID, and to whom the backup is the one that the first one made.
type recoveryMark struct {
	From   RecoverySource `json:"from"`
	Backup string         `json:"backup"`
}

func (m *recoveryMark) brokenOff(path, node string) error {
	flag := ""
	if m.From == FromDatabase {
		flag = "--from-database "
	}
	return fmt.Errorf("a recovery was broken off in %s: run versiond recover %s--node %s --yes again, or put back the backup %s", path, flag, node, m.Backup)
}

// OpenLeftDataDir locks a data directory that was left over, to recover a cluster from it, also one in
// which a recovery was broken off. It makes nothing: without a directory, or without the Raft state of
// a cluster in it, there is an error that says so.
func OpenLeftDataDir(path, node string) (*DataDir, error) {
	for _, name := range []string{identityFile, logFile} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return nil, fmt.Errorf("%w: %s has no %s; --data-dir must name the directory above it, and if only a database was kept there is --from-database", errNothingLeft, path, name)
		}
	}
	d, err := openLocked(path, node)
	if err != nil {
		return nil, err
	}
	if mark := d.noted().Recovery; mark != nil && mark.From != FromLog {
		return nil, errors.Join(mark.brokenOff(path, node), d.Close())
	}
	if holds, err := d.holdsRaftState(); err != nil || !holds || d.Identity().Cluster == "" {
		return nil, errors.Join(fmt.Errorf("%w: %s was never part of a cluster", errNothingLeft, path), err, d.Close())
	}
	return d, nil
}

// OpenBlankDataDir locks a data directory to begin a cluster in it from a database; a new one is made
// if create is set. One that holds Raft state is refused, unless a recovery of the same kind put it
// there.
func OpenBlankDataDir(path, node string, create bool) (*DataDir, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		d := &DataDir{path: path}
		return d, d.newIdentity(node)
	}
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("data directory of %s (--data-dir): %w", node, err)
	}
	d, err := openLocked(path, node)
	if err != nil {
		return nil, err
	}
	if mark := d.noted().Recovery; mark != nil {
		if mark.From != FromDatabase {
			return nil, errors.Join(mark.brokenOff(path, node), d.Close())
		}
		return d, nil
	}
	holds, err := d.holdsRaftState()
	if err == nil && holds {
		err = fmt.Errorf("%s holds Raft state, which has more than the database: recover from it, without --from-database", path)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

var errNothingLeft = errors.New("there is nothing to recover from")

// holdsRaftState looks without writing.
func (d *DataDir) holdsRaftState() (bool, error) {
	if _, err := os.Stat(d.file(logFile)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	stores, err := inspectStores(d)
	if err != nil {
		return false, err
	}
	holds, err := stores.hasState()
	return holds, errors.Join(err, stores.close())
}

// beginRecovery notes the new cluster and that a recovery is under way; from then on no node starts on
// the directory.
func (d *DataDir) beginRecovery(cluster, former string, mark recoveryMark) error {
	noted := d.noted()
	if noted.Recovery != nil {
		return nil // it goes on, as the cluster that was noted then
	}
	noted.Cluster, noted.Replica, noted.Recovery = cluster, false, &mark
	noted.Former = append(slices.Clone(noted.Former), former)
	return d.save(noted)
}

func (d *DataDir) endRecovery() error {
	noted := d.noted()
	noted.Recovery = nil
	return d.save(noted)
}

func alone(id, address string) raft.Configuration {
	return raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: raft.ServerID(id), Address: raft.ServerAddress(address)}}}
}

func membersOf(c raft.Configuration) []Member {
	members := make([]Member, len(c.Servers))
	for i, s := range c.Servers {
		members[i] = Member{ID: string(s.ID), Address: string(s.Address), Voter: s.Suffrage == raft.Voter}
	}
	return members
}
