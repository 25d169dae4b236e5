package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"versiond/raft/datadir"
)

// OpenLeft locks a data directory that was left over, to recover a cluster from it, also one in
// which a recovery was broken off. It makes nothing: without a directory, or without the Raft state of
// a cluster in it, there is an error that says so.
func OpenLeft(path, node string) (*datadir.Dir, error) {
	for _, name := range []string{datadir.IdentityFile, datadir.StableFile} {
		if _, err := os.Stat(filepath.Join(path, name)); err != nil {
			return nil, fmt.Errorf("%w: %s has no %s; --data-dir must name the directory above it, and if only a database was kept there is --from-database", errNothingLeft, path, name)
		}
	}
	d, err := datadir.OpenMarked(path, node)
	if err != nil {
		return nil, err
	}
	if mark := d.Noted().Recovery; mark != nil && mark.From != datadir.FromLog {
		return nil, errors.Join(mark.BrokenOff(path, node), d.Close())
	}
	if holds, err := holdsRaftState(d); err != nil || !holds || d.Identity().Cluster == "" {
		return nil, errors.Join(fmt.Errorf("%w: %s was never part of a cluster", errNothingLeft, path), err, d.Close())
	}
	return d, nil
}

// OpenBlank locks a data directory to begin a cluster in it from a database; a new one is made
// if create is set. One that holds Raft state is refused, unless a recovery of the same kind put it
// there.
func OpenBlank(path, node string, create bool) (*datadir.Dir, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !create {
		return datadir.Unmade(path, node)
	}
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("data directory of %s (--data-dir): %w", node, err)
	}
	d, err := datadir.OpenMarked(path, node)
	if err != nil {
		return nil, err
	}
	if mark := d.Noted().Recovery; mark != nil {
		if mark.From != datadir.FromDatabase {
			return nil, errors.Join(mark.BrokenOff(path, node), d.Close())
		}
		return d, nil
	}
	holds, err := holdsRaftState(d)
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
func holdsRaftState(d *datadir.Dir) (bool, error) {
	if _, err := os.Stat(d.File(datadir.StableFile)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	stores, err := openStores(d, slog.New(slog.DiscardHandler), true)
	if err != nil {
		return false, err
	}
	holds, err := stores.HasState()
	return holds, errors.Join(err, stores.Close())
}
