package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	if err := copyTree(ctx, d.Path(), partial); err != nil {
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

// copyTree copies files and folders, and syncs them.
func copyTree(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		switch {
		case e.IsDir() && datadir.IsScratch(e.Name()):
			return fs.SkipDir
		case e.IsDir():
			return makeSynced(target)
		case datadir.IsScratch(e.Name()):
			return nil
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", path)
		}
		return copySynced(path, target)
	})
}

func makeSynced(folder string) error {
	if err := os.Mkdir(folder, 0o750); err != nil {
		return err
	}
	return datadir.Sync(filepath.Dir(folder))
}

func copySynced(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it was only read
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}
