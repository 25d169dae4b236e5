package measure

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"versiond/test/harness/servers"
)

// NodesCount is how many nodes every system has.
const NodesCount = 3

// What the systems are called.
const (
	OurName     = "versiond"
	Embedded    = OurName + embedded
	WithServers = OurName + withServers
	Etcd        = "etcd"
	Bare        = "Gin, a constant"
)

const (
	embedded    = " embedded"
	withServers = ", MySQL and Redis"
)

// NameOf returns what a versiond of this name is called as a system, embedded or with servers.
func NameOf(versiond string, servers bool) string {
	if servers {
		return versiond + withServers
	}
	return versiond + embedded
}

// System is a replicated store of three nodes that runs on this machine.
type System struct {
	// Name is what tables call it, Version what its program says of itself.
	Name, Version string
	// Nodes are its servers, in the order of their ids.
	Nodes []*Server
	// Shared are the servers that the nodes need, such as databases.
	Shared []*Server
	// Dir holds the state of all nodes.
	Dir string
	// Dial opens a client of the node at this address.
	Dial func(ctx context.Context, address string) (Client, error)
}

// Server is one process of a system.
type Server struct {
	// Name is what tables call it.
	Name string
	// Address is where clients find it.
	Address string
	process
}

type process interface {
	Pid() int
	SetEnv(more ...string)
	Start() error
	Stop() error
	Kill() error
}

// startNodes starts all nodes at once: none is ready without the others.
func (s *System) startNodes() error {
	var all errgroup.Group
	for _, n := range s.Nodes {
		all.Go(n.Start)
	}
	return all.Wait()
}

// Restart stops the nodes and starts them anew, all at once, with further variables that last.
func (s *System) Restart(env ...string) error {
	for _, n := range s.Nodes {
		if err := n.Stop(); err != nil {
			return err
		}
		n.SetEnv(env...)
	}
	return s.startNodes()
}

// Close ends every process of the system.
func (s *System) Close() error {
	var errs []error
	for _, server := range s.Servers() {
		errs = append(errs, server.Kill())
	}
	return errors.Join(errs...)
}

// Servers are all processes of the system.
func (s *System) Servers() []*Server { return append(append([]*Server(nil), s.Nodes...), s.Shared...) }

// CPU is the processor time that all servers of the system have used so far.
func (s *System) CPU() (total time.Duration, err error) {
	for _, server := range s.Servers() {
		used, err := cpuOf(server.Pid())
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// Client does one operation after the other over one connection. Only one goroutine at a time may
// use it.
type Client interface {
	// Write creates a record.
	Write(id, versionNo string) error
	// Read reads a record that is there.
	Read(id string, level Level) error
	Close() error
}

// Checker is a client of what knows what a version is.
type Checker interface {
	Check(id, current string, level Level) error
}

// Level is how current a read must be, as versiond calls it.
type Level string

// What the levels are elsewhere: etcd calls reads of any node's own state serializable, and has
// nothing between them and linearizable ones.
const (
	None         Level = "none"
	Leader       Level = "leader"
	Linearizable Level = "linearizable"
)

// versionOf asks a program for its version and returns the first line of the answer.
func versionOf(program string) string {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return fmt.Sprintf("unknown: %v", err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

// versionNumber is where servers say their number: mysqld behind its path and Ver, Redis behind v=.
var versionNumber = regexp.MustCompile(` (?:Ver |v=)(\S+)`)

// numberIn returns the number in what a server says of itself, all of it when there is none.
func numberIn(version string) string {
	if found := versionNumber.FindStringSubmatch(version); found != nil {
		return found[1]
	}
	return version
}

// freePorts returns a port for each of the nodes.
func freePorts(n int) ([]int, error) {
	taken := map[int]bool{}
	var ports []int
	for len(ports) < n {
		port, err := servers.FreePort()
		if err != nil {
			return nil, err
		}
		if !taken[port] {
			taken[port] = true
			ports = append(ports, port)
		}
	}
	return ports, nil
}
