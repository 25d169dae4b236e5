package system_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// describedExample is a command in api/openapi.yaml: in backquotes, or on an indented line of its own.
var describedExample = regexp.MustCompile("(?m)`((?:curl|versiond) [^`]+)`|^            ((?:curl|go run) .+)$")

// The description says of its examples that they work as they stand, in its order, on a fresh "go run .". If this fails,
// who copies one gets an error.
func TestExamplesOfTheDescription(t *testing.T) {
	q, p := startSettled(t)
	text, err := os.ReadFile("../../api/openapi.yaml")
	require.NoError(t, err)
	env := q.readerEnv(t)
	further, more := q.withFurther(1)
	examples := describedExample.FindAllStringSubmatch(more.onOurPorts(string(text)), -1)
	require.Greater(t, len(examples), 25)
	var joining *cluster.Process
	for _, example := range examples {
		command := example[1] + example[2]
		if strings.HasPrefix(command, "go run . ") {
			if joining != nil {
				interrupt(t, joining)
			}
			joining = q.beside(append(env, q.env()[0]), command)
			further[0].waitAnswer(t)
			continue
		}
		if strings.Contains(command, "/peer/node3") {
			q.nodes = q.nodes[:2]
		}
		q.shell(t, env, command)
		q.waitLevel(10 * time.Second) // a reader is not as quick
	}
	interrupt(t, joining)
	p.Stop()
}

// helpOrder is that in which a reader of the help runs the examples of the commands.
var helpOrder = strings.Fields("create get update list history latest compare check export import watch leader peers " +
	"status backup restore delete join remove config cert health recover")

// What the examples of "versiond COMMAND --help" find when they are run, and the codes with which they end unless they end with 0.
const prepared = `versiond create @scope/pkg 1.0.0 npm
versiond create myapp-ios-beta 1.5.0 ios
versiond create myapp@1 1.5.0 ios
printf 'lib,1,amd64\n' >packages.csv`

var helpCodes = map[string]string{"versiond delete myapp --if-revision 28672": "3"}

// If this fails, an example that the program itself shows has a flag that is not there any more, or does not do what it is for.
func TestExamplesOfTheHelp(t *testing.T) {
	t.Parallel()
	q := newQuickStart(t)
	p := q.run("help.log")
	q.waitReady(10 * time.Second)
	further, _ := q.withFurther(2)
	env := append(q.readerEnv(t), "VERSIOND_URL=http://"+address(q.nodes[0].public), "installed=1.0.0")
	q.shell(t, env, strings.ReplaceAll(prepared, "\n", " && "))
	for _, n := range further {
		joining := q.beside(append(env, q.env()[0]), fmt.Sprintf("versiond --node %s --address %s --port %d", n.id, address(n.peer), n.public))
		defer interrupt(t, joining)
		n.waitAnswer(t)
	}
	places := q.places(further)
	for _, command := range q.helpExamples(t, env) {
		command = places.Replace(command)
		if strings.HasPrefix(command, "versiond watch") {
			q.watched(t, env, command)
			continue
		}
		if want := helpCodes[command]; want != "" {
			command += `; test $? = ` + want
		}
		if command == "versiond remove node3" {
			q.nodes = q.nodes[:2]
		}
		q.shell(t, env, command)
		q.waitLevel(10 * time.Second)
	}
	p.Stop()
}

var (
	helpCommand  = regexp.MustCompile(`(?m)^  ([a-z]+) {2,}[A-Z]`)
	helpExamples = regexp.MustCompile(`(?s)\nExamples:\n(.*?)\n\n`)
)

// helpExamples returns the lines of all commands, and fails when one of them is missing from helpOrder.
func (q *quickStart) helpExamples(t *testing.T, env []string) (examples []string) {
	t.Helper()
	for _, name := range helpCommand.FindAllStringSubmatch(q.shell(t, env, "versiond --help"), -1) {
		if name[1] != "help" && name[1] != "completion" {
			require.Contains(t, helpOrder, name[1])
		}
	}
	for _, name := range append(helpOrder, "config check", "config print") {
		if shown := helpExamples.FindStringSubmatch(q.shell(t, env, "versiond "+name+" --help")); shown != nil {
			for line := range strings.SplitSeq(shown[1], "\n") {
				examples = append(examples, strings.TrimSpace(line))
			}
		}
	}
	require.Greater(t, len(examples), 35)
	return examples
}

// places puts these nodes in the places of those that the help names.
func (q *quickStart) places(further []quickNode) *strings.Replacer {
	var pairs []string
	for i, n := range q.nodes {
		pairs = append(pairs, fmt.Sprintf("10.0.0.%d:8081", 1+i), address(n.public))
	}
	for i, n := range further {
		pairs = append(pairs, fmt.Sprintf("10.0.0.%d:7001", 4+i), address(n.peer))
	}
	return strings.NewReplacer(pairs...)
}

// watched runs a watch until it has printed something, and ends it as Ctrl-C does.
func (q *quickStart) watched(t *testing.T, env []string, command string) {
	t.Helper()
	watch := q.beside(env, command)
	cluster.Eventually(t, 20*time.Second, command+" is to print what is written", func() error {
		q.shell(t, env, "versiond update myapp --attribute watched=$RANDOM$RANDOM")
		if !strings.Contains(watch.Log(), "myapp") {
			return fmt.Errorf("so far: %s", watch.Log())
		}
		return nil
	})
	interrupt(t, watch)
}

// readerEnv is that of a reader with versiond on the path, whose curl fails on what is refused. What examples use besides is
// there, by stand-ins where the machine has none.
func (q *quickStart) readerEnv(t *testing.T) []string {
	t.Helper()
	q.write(t, ".curlrc", "silent\nfail\n")
	q.write(t, "update", "#!/bin/sh\n")
	q.write(t, "mine/ssh", "#!/bin/sh\nshift\nexec sh -c \"$*\"\n")
	q.write(t, "spare/jq", "#!/bin/sh\nexec cat\n")
	q.write(t, "spare/dpkg-query", "#!/bin/sh\nprintf 'libc6\\t2.36-9\\tamd64\\n'\n")
	sample, err := os.ReadFile("../../versiond.example.yaml")
	require.NoError(t, err)
	q.write(t, "versiond.yaml", string(sample))
	path := []string{filepath.Join(q.dir, "mine"), programs(), os.Getenv("PATH"), filepath.Join(q.dir, "spare")}
	isOurs := func(variable string) bool { return strings.HasPrefix(variable, "VERSIOND_") } // a node refuses what is no setting
	const quickEnd = "GORACE=atexit_sleep_ms=10"                                             // each of the many commands would rest a second at its end
	return append(slices.DeleteFunc(os.Environ(), isOurs), quickEnd, "HOME="+q.dir, "PATH="+strings.Join(path, string(os.PathListSeparator)))
}

func (q *quickStart) write(t *testing.T, name, content string) {
	t.Helper()
	name = filepath.Join(q.dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o700))
}

// withFurther returns nodes that are no members yet, and the quick start with them.
func (q *quickStart) withFurther(count int) (further []quickNode, with *quickStart) {
	for i := range count {
		n := quickNode{id: fmt.Sprintf("node%d", 4+i), peer: cluster.FreePort(q.t), public: cluster.FreePort(q.t)}
		n.client = cluster.NewClient(q.t, address(n.public), address(n.peer))
		further = append(further, n)
	}
	return further, &quickStart{t: q.t, dir: q.dir, nodes: append(q.nodes[:len(q.nodes):len(q.nodes)], further...)}
}

// waitAnswer waits until a node that may be no member answers the others.
func (n quickNode) waitAnswer(t *testing.T) {
	t.Helper()
	cluster.Eventually(t, 10*time.Second, n.id+" is to answer", func() error {
		_, err := n.client.Status(t.Context())
		return err
	})
}

// beside starts what a reader leaves running in another terminal.
func (q *quickStart) beside(env []string, command string) *cluster.Process {
	q.t.Helper()
	p := cluster.NewProcess(q.t, "/bin/bash", []string{"-c", "cd " + q.dir + " && exec " + ofOurs(command)}, env, filepath.Join(q.t.TempDir(), "log"))
	p.Start()
	return p
}

// interrupt ends a program as Ctrl-C does.
func interrupt(t *testing.T, p *cluster.Process) {
	t.Helper()
	p.Signal(os.Interrupt)
	require.Zero(t, p.Wait(15*time.Second), p.Log())
}
