package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// ErrLost is returned by a node whose data directory was removed or replaced while it ran: it would go on writing
// to files that no name leads to, and acknowledge what no start would find.
var ErrLost = errors.New("the data directory was removed or replaced while this node ran")

// Watch holds the files open that have to stay what they were. Open, they keep their inodes, so that no other file
// can have the same.
type Watch struct {
	dir     *Dir
	files   []*os.File
	written func() bool // whether the log holds an entry
	emptied bool        // as far as the last look saw
}

// NewWatch opens the files that must stay. written reports whether the log holds an entry.
func NewWatch(dir *Dir, written func() bool) (*Watch, error) {
	w := &Watch{dir: dir, written: written}
	for _, name := range []string{LockFile, StableFile, LogFolder} {
		file, err := os.Open(dir.File(name))
		if err != nil {
			w.Close()
			return nil, fmt.Errorf("watch the data directory: %w", err)
		}
		w.files = append(w.files, file)
	}
	return w, nil
}

// Close closes the files.
func (w *Watch) Close() {
	for _, file := range w.files {
		_ = file.Close() // nothing was written to it
	}
}

// Look returns an ErrLost that names what is no longer there. What else may be wrong is the disk's to find out.
func (w *Watch) Look() error {
	for _, file := range w.files {
		open, errOpen := file.Stat()
		named, err := os.Stat(file.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w: %s is gone", ErrLost, file.Name())
		case err == nil && errOpen == nil && !os.SameFile(open, named):
			return fmt.Errorf("%w: %s is another one", ErrLost, file.Name())
		}
	}
	return w.lookIntoLog()
}

// lookIntoLog returns an ErrLost when no file is left in the log's folder, twice in a row: a log that begins anew
// behind a snapshot may be without one for a moment.
func (w *Watch) lookIntoLog() error {
	entries, err := os.ReadDir(w.dir.File(LogFolder))
	was := w.emptied
	w.emptied = err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() }) && w.written()
	if was && w.emptied {
		return fmt.Errorf("%w: no file is left in %s", ErrLost, w.dir.File(LogFolder))
	}
	return nil
}
