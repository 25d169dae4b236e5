package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"versiond/test/harness/servers"
)

// StartBare starts, in place of nodes, three processes that answer versiond's reads and do nothing else: program with args
// and the address to listen on. They collect garbage as seldom as nodes do.
func StartBare(dir, version, program string, args ...string) (_ *System, err error) {
	s := &System{Name: Bare, Dir: dir, Version: version, Dial: dialVersiond}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	ports, err := freePorts(NodesCount)
	if err != nil {
		return nil, err
	}
	for i, port := range ports {
		n, err := bareNode(filepath.Join(dir, fmt.Sprintf("node%d", i+1)), local(port), program, args)
		if err != nil {
			return nil, err
		}
		s.Nodes = append(s.Nodes, n)
	}
	return s, s.startNodes()
}

// collectSeldom has Go collect garbage when the heap has 64 MiB.
const collectSeldom = "GOGC=1600"

func bareNode(dir, address, program string, args []string) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Server{Name: filepath.Base(dir), Address: address, process: servers.NewProgram(servers.Program{
		Path: program, Args: append(append([]string(nil), args...), address), Env: []string{collectSeldom}, Dir: dir,
		Ready: func(ctx context.Context) error { return answersOK(ctx, "http://"+address+"/version/any") },
	})}, nil
}
