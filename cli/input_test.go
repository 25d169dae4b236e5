package cli

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/captured"
)

// Ctrl-C ends a command that waits for a terminal or a pipe from which nothing comes.
func TestCtrlCEndsTheWaitForInput(t *testing.T) {
	for _, args := range [][]string{{"import"}, {"import", "--format", "jsonl"}, {"restore", "-"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			in, taken := newSilent(t)
			var stderr captured.Buffer
			p := Program{
				Environ: []string{"VERSIOND_URL=" + urls[0], "VERSIOND_TOKEN=" + adminSecret}, Stdin: in, Stdout: &captured.Buffer{}, Stderr: &stderr,
			}
			ended := make(chan int, 1)
			go func() { ended <- p.Run(args) }()
			<-taken
			require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
			select {
			case code := <-ended:
				require.NotZero(t, code)
				require.Contains(t, stderr.String(), "given up before ")
			case <-time.After(10 * time.Second):
				t.Fatal("it still waits")
			}
		})
	}
}

// newSilent returns a line of a pipe from which nothing more comes until the test ends, and what tells that the line was taken.
func newSilent(t *testing.T) (in io.Reader, taken <-chan struct{}) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	more := &silent{from: r, asked: make(chan struct{}, 1)}
	return io.MultiReader(strings.NewReader("\n"), more), more.asked
}

// silent notifies asked when more is to be read, and reads it.
type silent struct {
	from  io.Reader
	asked chan struct{}
}

func (s *silent) Read(p []byte) (int, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return s.from.Read(p)
}
