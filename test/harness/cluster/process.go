package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"versiond/test/harness/network"
	"versiond/test/harness/servers"
)

const (
	stopTimeout  = 15 * time.Second
	runTimeout   = time.Minute
	logTailBytes = 6000
	// stacksTimeout is for a program to write what its goroutines are at.
	stacksTimeout = 5 * time.Second
)

// Process is one run of the versiond program after another, all writing to one log.
type Process struct {
	t       testing.TB
	program string
	args    []string
	env     []string
	log     string
	enter   func() error // takes the thread to where the program runs; nil is here
	keptLog bool         // when the test fails

	starts int // how often it was started
	cmd    *exec.Cmd
	exited chan struct{}
}

// NewProcess describes a run of the program with exactly these arguments and variables. Its output
// goes to the file at log. It ends with the test; a test that failed prints the end of the log, and a
// data race that the log reports fails the test.
func NewProcess(t testing.TB, program string, args, env []string, log string) *Process {
	t.Helper()
	p := &Process{t: t, program: program, args: args, env: env, log: log, keptLog: keptAnyway()}
	t.Cleanup(p.cleanUp)
	return p
}

// RunOn makes the next Start run the program on a machine of a network.
func (p *Process) RunOn(machine *network.Host) { p.enter = machine.Enter }

// Exchange makes the next Start run another program.
func (p *Process) Exchange(program string) { p.program = program }

// Start runs the program. It does not wait until the program does anything.
func (p *Process) Start() {
	p.t.Helper()
	if p.Running() {
		p.t.Fatalf("%s runs already", p.log)
	}
	if err := p.launch(); err != nil {
		p.t.Fatal(err)
	}
}

// StartWith is Start with further variables, for this one run.
func (p *Process) StartWith(env ...string) {
	p.t.Helper()
	usual := p.env
	p.env = append(slices.Clone(usual), env...)
	p.Start()
	p.env = usual
}

// launch starts the child from a goroutine that keeps its OS thread until the child has ended: Linux
// sends the parent-death signal when the thread that forked ends, not the process.
func (p *Process) launch() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(p.program, p.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.env, log, log, dieWithParent()
	started, exited := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		if p.enter == nil {
			defer runtime.UnlockOSThread() // a thread that went elsewhere ends with this goroutine
		}
		defer close(exited)
		defer log.Close()
		err := p.start(cmd)
		started <- err
		if err == nil {
			_ = cmd.Wait() // its state tells how it ended
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.starts++
	p.cmd, p.exited = cmd, exited
	return nil
}

func (p *Process) start(cmd *exec.Cmd) error {
	if p.enter != nil {
		if err := p.enter(); err != nil {
			return err
		}
	}
	return cmd.Start()
}

// Starts returns how often the program was started.
func (p *Process) Starts() int { return p.starts }

// Running reports whether the program has been started and has not ended.
func (p *Process) Running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Run runs the program once with other arguments before its own, beside whatever run of it there is,
// and returns its exit code and output.
func (p *Process) Run(args ...string) (code int, output string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), runTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.program, append(args, p.args...)...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// Pid returns the process ID of the newest run.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the program as kill -9 does and waits until it is gone.
func (p *Process) Kill() {
	p.t.Helper()
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// Stop asks the program to end, as a supervisor does, and waits until it has, with exit code 0.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	if code := p.Wait(stopTimeout); code != 0 {
		p.t.Fatalf("%s ended with %d after SIGTERM", p.log, code)
	}
}

// Pause freezes the program: connections stay open and nothing answers.
func (p *Process) Pause() {
	p.t.Helper()
	p.Signal(syscall.SIGSTOP)
	p.AwaitPaused()
}

// AwaitPaused returns when the program has stopped, as it does by itself at a failpoint.
func (p *Process) AwaitPaused() {
	p.t.Helper()
	if err := servers.AwaitStopped(p.cmd.Process.Pid); err != nil {
		p.t.Fatal(err)
	}
}

// Resume lets a paused program go on.
func (p *Process) Resume() { p.t.Helper(); p.Signal(syscall.SIGCONT) }

// Signal sends a signal to the program, which must be running.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if !p.Running() {
		p.t.Fatalf("%s does not run", p.log)
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// Wait waits until the program has ended and returns its exit code; the test fails after timeout.
func (p *Process) Wait(timeout time.Duration) int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(timeout):
		p.t.Fatalf("%s did not end within %s", p.log, timeout)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Log returns all that the program has written so far.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(text)
}

// cleanUp must not fail the test from within: Fatal would leave other processes running.
func (p *Process) cleanUp() {
	p.end()
	text, _ := os.ReadFile(p.log) // missing when it never ran
	if i := bytes.Index(text, []byte("WARNING: DATA RACE")); i >= 0 {
		p.t.Errorf("data race in %s:\n%s", p.log, text[i:min(len(text), i+logTailBytes)])
	}
	if i := bytes.Index(text, []byte("\npanic: ")); i >= 0 {
		p.t.Errorf("panic in %s:\n%s", p.log, text[i:min(len(text), i+logTailBytes)])
	}
	if p.t.Failed() {
		p.t.Logf("the end of %s:\n%s", p.log, tail(string(text)))
	}
}

// end ends a program that runs. Where a test failed and its log is kept, it writes there what its goroutines are at before.
func (p *Process) end() {
	if !p.Running() {
		return
	}
	if p.t.Failed() && p.keptLog {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may end by itself meanwhile
		select {
		case <-p.exited:
			return
		case <-time.After(stacksTimeout): // it is paused
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// tail returns the last of what a program wrote before it was asked for its goroutines.
func tail(text string) string {
	text, _, _ = strings.Cut(text, "\nSIGQUIT: quit\n")
	cut := text[max(0, len(text)-logTailBytes):]
	return fmt.Sprintf("...%s", strings.TrimRight(cut, "\n"))
}
