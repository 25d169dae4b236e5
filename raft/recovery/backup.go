package recovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"versiond/raft/datadir"
)

// What the name of a directory's copy has after the directory's own, and while it is not whole.
const (
	backupInfix   = ".before-recover-"
	partialSuffix = ".partial"
)

// backupPath names the copy of a directory: beside it, unless elsewhere says where.
func backupPath(d *datadir.Dir, elsewhere string, now time.Time) string {
	if elsewhere == "" {
		elsewhere = filepath.Dir(d.Path())
	}
	return filepath.Join(elsewhere, filepath.Base(d.Path())+backupInfix+now.UTC().Format("20060102T150405Z"))
}

// backUp copies the directory to a new one. It has its name only when it is whole and on disk.
func backUp(ctx context.Context, d *datadir.Dir, to string) error {
	partial := to + partialSuffix
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already (%w)", to, errors.Join(err, fs.ErrExist))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	if err := removePartial(filepath.Dir(to), d.Path()); err != nil {
		return err
	}
	if err := os.Mkdir(partial, 0o750); err != nil {
		return err
	}
	if err := os.CopyFS(partial, lasting{os.DirFS(d.Path()), ctx}); err != nil {
		return err
	}
	if err := syncTree(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, to); err != nil {
		return err
	}
	return datadir.Sync(filepath.Dir(to))
}

// removePartial removes the copies that were not finished.
func removePartial(folder, of string) error {
	left, err := filepath.Glob(filepath.Join(folder, filepath.Base(of)+backupInfix+"*"+partialSuffix))
	for _, name := range left {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return err
}

// lasting is a data directory without what is of use to the process alone that made it, for as long as a context lives.
type lasting struct {
	fs.FS
	ctx context.Context
}

// Open opens a file or a folder.
func (l lasting) Open(name string) (fs.File, error) {
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	return l.FS.Open(name)
}

// ReadDir lists a folder.
func (l lasting) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(l.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return datadir.IsScratch(e.Name()) }), err
}

func syncTree(path string) error {
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error { return errors.Join(err, datadir.Sync(name)) })
}
