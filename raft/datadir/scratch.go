package datadir

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// ScratchPattern names what in a data directory is of use to the process alone that made it.
const ScratchPattern = "scratch-*.tmp"

// IsScratch reports whether a copy of the directory is whole without what has this name.
func IsScratch(name string) bool {
	scratch, _ := filepath.Match(ScratchPattern, name) // it is well formed
	return scratch || name == LockFile || strings.HasSuffix(name, ".next")
}

// RemoveScratch removes what a process left that was killed.
func (d *Dir) RemoveScratch(log *slog.Logger) {
	left, _ := filepath.Glob(d.File(ScratchPattern)) // it is well formed
	for _, name := range left {
		if err := os.RemoveAll(name); err != nil {
			log.Warn("what a process left behind could not be removed", "name", name, "err", err)
		}
	}
}
