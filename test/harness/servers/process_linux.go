package servers

import "syscall"

// dieWithParent makes the kernel kill the child when we die without a chance to stop it.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
