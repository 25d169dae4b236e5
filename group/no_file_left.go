package group

import (
	"errors"
	"syscall"
)

// NoFileLeft reports whether an error means that this process, or the machine, has as many files open as it may, so
// that a listener has to make room.
func NoFileLeft(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
