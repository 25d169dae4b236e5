package raft

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"versiond/model"
)

// dirLookInterval is how soon a node notices that its directory was taken from under it.
const dirLookInterval = time.Second

// ErrDirLost is returned by a node whose data directory was removed or replaced while it ran: it would go on writing
// to files that no name leads to, and acknowledge what no start would find.
var ErrDirLost = errors.New("the data directory was removed or replaced while this node ran")

// dirWatch holds the files open that have to stay what they were. Open, they keep their inodes, so that no other file
// can have the same.
type dirWatch struct {
	dir     *DataDir
	files   []*os.File
	written func() bool // whether the log holds an entry
	emptied bool        // as far as the last look saw
}

func newDirWatch(dir *DataDir, written func() bool) (*dirWatch, error) {
	w := &dirWatch{dir: dir, written: written}
	for _, name := range []string{lockFile, logFile, logDir} {
		file, err := os.Open(dir.file(name))
		if err != nil {
			w.close()
			return nil, fmt.Errorf("watch the data directory: %w", err)
		}
		w.files = append(w.files, file)
	}
	return w, nil
}

func (w *dirWatch) close() {
	for _, file := range w.files {
		_ = file.Close() // nothing was written to it
	}
}

// look returns an ErrDirLost that names what is no longer there. What else may be wrong is the disk's to find out.
func (w *dirWatch) look() error {
	for _, file := range w.files {
		open, errOpen := file.Stat()
		named, err := os.Stat(file.Name())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%w: %s is gone", ErrDirLost, file.Name())
		case err == nil && errOpen == nil && !os.SameFile(open, named):
			return fmt.Errorf("%w: %s is another one", ErrDirLost, file.Name())
		}
	}
	return w.lookIntoLog()
}

// lookIntoLog returns an ErrDirLost when no file is left in the log's folder, twice in a row: a log that begins anew
// behind a snapshot may be without one for a moment.
func (w *dirWatch) lookIntoLog() error {
	entries, err := os.ReadDir(w.dir.file(logDir))
	was := w.emptied
	w.emptied = err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() }) && w.written()
	if was && w.emptied {
		return fmt.Errorf("%w: no file is left in %s", ErrDirLost, w.dir.file(logDir))
	}
	return nil
}

// watchDir ends the node when its directory is not there any more. A look that hangs, as it may on a network's disk,
// keeps nobody waiting.
func (n *Node) watchDir(w *dirWatch) {
	ticker := time.NewTicker(dirLookInterval)
	defer ticker.Stop()
	for {
		seen := make(chan error, 1)
		go func() { seen <- w.look() }()
		select {
		case err := <-seen:
			if err != nil {
				n.fail(fmt.Errorf("%w; its last index was %d; put the directory back if it was moved; where it is gone, %s", err, n.LastIndex(), model.RejoinAdvice))
				return
			}
		case <-n.ctx.Done():
			return
		}
		select {
		case <-ticker.C:
		case <-n.ctx.Done():
			return
		}
	}
}
