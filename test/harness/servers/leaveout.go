package servers

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// told holds the reasons that this process has given already.
var told sync.Map

// leaveOut skips a test for want of a server, loudly: go test hides what passing packages print, and
// would give a remembered result even after the server was installed.
func leaveOut(t testing.TB, why error) {
	t.Helper()
	if _, again := told.LoadOrStore(why.Error(), true); !again {
		tell(fmt.Sprintf("LEFT OUT of %s: %v (make test leaves out nothing)\n", filepath.Base(os.Args[0]), why))
	}
	forget()
	t.Skipf("SKIPPED, NOTHING WAS TESTED: %v (set %s=1 to make this a failure)", why, RequireEnv)
}

// tell writes to where the go command that runs this test writes its own errors, past its hiding of
// our output; where there is no /proc, to the terminal; and else where only -v shows it.
func tell(text string) {
	for _, path := range []string{fmt.Sprintf("/proc/%d/fd/2", os.Getppid()), "/dev/tty"} {
		out, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			continue
		}
		_, err = io.WriteString(out, text)
		if out.Close() == nil && err == nil {
			return
		}
	}
	fmt.Fprint(os.Stderr, text)
}

// forget keeps go test from remembering this run's result: it does so only with the log of what the
// tests looked at.
func forget() {
	if log := flag.Lookup("test.testlogfile"); log != nil && log.Value.String() != "" {
		_ = os.Remove(log.Value.String()) // at worst a result is remembered that says (cached)
	}
}
