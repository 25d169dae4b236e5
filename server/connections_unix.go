//go:build unix

package server

import "syscall"

// openFilesMax is how many files the process may open. Go has raised it as far as it may already.
func openFilesMax() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024 // the least that is common
	}
	return uint64(limit.Cur) //nolint:unconvert // it is signed on some systems
}
