//go:build failpoints

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// chosen is the step at which the program dies, and left how often it may still pass it: FAILPOINT is name:N, and
// dies at the Nth time. With name:N:freeze it stops there instead, and goes on when it is told to.
var (
	chosen, count, _ = strings.Cut(os.Getenv("FAILPOINT"), ":")
	times, what, _   = strings.Cut(count, ":")
	left             = passes(times)
)

func passes(count string) *atomic.Int64 {
	var n atomic.Int64
	times, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		times = 1
	}
	n.Store(times)
	return &n
}

// Here kills the program, as kill -9 does, or freezes it when this is the chosen step and time.
func Here(name string) {
	if name != chosen || left.Add(-1) != 0 {
		return
	}
	if what == "freeze" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) // it returns when the program goes on
		return
	}
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {} // not one instruction further
}
