package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// ErrNotInstalled is returned when a server's program is not on this machine. The message says what
// to install.
var ErrNotInstalled = errors.New("a server needed for this test is not installed")

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
	readyPoll    = 20 * time.Millisecond
)

// process is one child program that can be started, stopped and paused again and again. Its methods
// may be called from any goroutine.
type process struct {
	program  string
	args     []string
	env      []string // nil is that of this process
	dir      string
	ready    func(ctx context.Context) error
	patience time.Duration // for ready; startTimeout when 0

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Program returns the path of the server's program.
func (p *process) Program() string { return p.program }

// Pid returns the process ID of the running server, 0 when it does not run.
func (p *process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return 0
	}
	return p.cmd.Process.Pid
}

// SetEnv adds variables, in force from the next start on.
func (p *process) SetEnv(more ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.env == nil {
		p.env = os.Environ()
	}
	p.env = append(p.env, more...)
}

// Start runs the server and returns when it answers. The data directory and the port stay those of
// the first start.
func (p *process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("%s runs already", filepath.Base(p.program))
	}
	if err := p.launch(); err != nil {
		return err
	}
	return p.awaitReady()
}

// Stop asks the server to end and waits until it has; a paused one is resumed first. Stopping a
// server that does not run is no error.
func (p *process) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil
	}
	if err := errors.Join(p.cmd.Process.Signal(syscall.SIGCONT), p.cmd.Process.Signal(syscall.SIGTERM)); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s did not end in %s and was killed", filepath.Base(p.program), stopTimeout), p.kill())
	}
}

// Kill ends the server as kill -9 does and waits until it is gone.
func (p *process) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil
	}
	return p.kill()
}

// Pause freezes the server: connections stay open and nothing answers.
func (p *process) Pause() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return AwaitStopped(p.Pid())
}

// revive undoes a Pause, a Stop or a Kill.
func (p *process) revive() error {
	if p.Pid() == 0 {
		return p.Start()
	}
	return p.Resume()
}

// Resume lets a paused server go on.
func (p *process) Resume() error { return p.signal(syscall.SIGCONT) }

func (p *process) signal(s os.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return fmt.Errorf("%s does not run", filepath.Base(p.program))
	}
	return p.cmd.Process.Signal(s)
}

func (p *process) running() bool {
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

func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.exited
	return nil
}

// launch starts the child from a goroutine that keeps its OS thread until the child has ended:
// Linux sends the parent-death signal when the thread that forked ends, not the process.
func (p *process) launch() error {
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(p.program, p.args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, p.env, log, log
	cmd.SysProcAttr = dieWithParent()
	started, exited := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(exited)
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how a server ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd, p.exited = cmd, exited
	return nil
}

func (p *process) awaitReady() error {
	patience := cmp.Or(p.patience, startTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended while starting: %s", filepath.Base(p.program), p.logTail())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s is not ready after %s: %w: %s", filepath.Base(p.program), patience, err, p.logTail()), p.kill())
		case <-time.After(readyPoll):
		}
	}
}

func (p *process) logPath() string { return filepath.Join(p.dir, "server.log") }

func (p *process) logTail() string {
	const tailBytes = 2000
	text, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tailBytes):])
}
