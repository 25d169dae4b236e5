package servers

import (
	"context"
	"time"
)

// Program is what NewProgram describes.
type Program struct {
	// Path is that of the program.
	Path string
	// Args are its arguments, Env its whole environment; nil is that of this process.
	Args, Env []string
	// Dir is where it runs and where its output goes, to server.log.
	Dir string
	// Ready returns nil once the program answers.
	Ready func(ctx context.Context) error
	// Patience is how long Start waits for Ready; 0 is half a minute.
	Patience time.Duration
}

// ProgramServer is any program that serves. Its methods may be called from any goroutine.
type ProgramServer struct{ *process }

// NewProgram describes a server that does not run yet.
func NewProgram(p Program) *ProgramServer {
	return &ProgramServer{&process{program: p.Path, args: p.Args, env: p.Env, dir: p.Dir, ready: p.Ready, patience: p.Patience}}
}
