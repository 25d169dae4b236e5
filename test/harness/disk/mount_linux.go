package disk

import (
	"errors"
	"fmt"
	"syscall"
)

func mount(dir string, bytes int64) error {
	err := syscall.Mount("versiond-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: %w", ErrImpossible, err)
	}
	return err
}

// unmount works also while a process has files open there.
func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
