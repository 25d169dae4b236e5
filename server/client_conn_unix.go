//go:build unix

package server

import "syscall"

// awaitReset returns when a connection is reset or closed, or its read deadline is over.
func awaitReset(conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var reset syscall.Errno
	err = raw.Read(func(fd uintptr) (done bool) {
		failed, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		reset = syscall.Errno(failed)
		return err != nil || failed != 0
	})
	if err == nil {
		err = reset
	}
	return err
}
