package cluster

import "syscall"

// dieWithParent makes the kernel kill a node when the test binary dies without a chance to stop it.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
