package system_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// readmeParts are what a reader does with a fresh "go run .", in order, and the pages that have them. The last one starts
// it anew.
var readmeParts = []struct {
	page  string
	parts []string
}{
	{"README.md", []string{"First write, first read", "What is the newest, and must I update?", "On the command line"}},
	{"docs/api.md", []string{
		"Records", "Following what is written", "How fresh a read is", "Cluster and health", "Backup and restore", "Many writes in one request", "Sending a write again", "Errors",
	}},
	{"docs/peer-port.md", []string{"Looking for a fault"}},
	{"docs/cli.md", []string{"A first round"}},
	{"docs/versions.md", []string{"The order", "What a record may say", "Questions", "What became of a record", "Watching", "Ids"}},
	{"docs/operations.md", []string{"Tokens and the cluster secret"}},
}

// settledIndex is where the log of three fresh nodes ends, unless an election had to be repeated.
const settledIndex = 7

// What the README and the manual print below their commands is what a reader who copies them sees, to the last digit. If
// this fails, correct the page (in both languages) or the program.
func TestReadmeCommandsPrintWhatTheySay(t *testing.T) {
	q, p := startSettled(t)
	steps := readmeSteps(t, q)
	require.Greater(t, len(steps), 40)
	remembered := os.Environ()
	for _, step := range steps {
		if restart := regexp.MustCompile(`^(VERSIOND_.*)go run \.$`).FindStringSubmatch(step.command); restart != nil {
			p.Stop()
			var env []string
			for _, setting := range regexp.MustCompile(`(VERSIOND_\w+)='([^']*)'`).FindAllStringSubmatch(restart[1], -1) {
				env = append(env, setting[1]+"="+setting[2])
			}
			p = q.run("guarded.log", env...)
			q.waitReady(10 * time.Second)
			continue
		}
		if name := assignment.FindStringSubmatch(step.command); name != nil {
			remembered = append(remembered, name[1]+"="+q.shell(t, remembered, step.command+`; printf %s "$`+name[1]+`"`))
			continue
		}
		if exported, is := strings.CutPrefix(step.command, "export "); is {
			remembered = append(remembered, exported)
			continue
		}
		if strings.Contains(step.command, "versiond status") {
			q.waitLevel(10 * time.Second)
		}
		output := q.output(t, remembered, step)
		q.waitReady(10 * time.Second) // a reader is not as quick: the old leader hears of the new one a moment later
		for _, want := range step.want {
			assert.True(t, strings.Contains(dense(output), dense(want)), "%s\nsays on the page\n%s\nand prints\n%s", step.command, want, output)
		}
	}
	p.Stop()
}

// startSettled starts three nodes in one process until they agreed at the first attempt.
func startSettled(t *testing.T) (*quickStart, *cluster.Process) {
	t.Helper()
	for range 5 {
		q := newQuickStart(t)
		p := q.run("readme.log")
		q.waitReady(10 * time.Second)
		status, err := q.nodes[0].client.Status(t.Context())
		require.NoError(t, err)
		if leader, err := q.nodes[0].client.Leader(t.Context()); err == nil && leader.ID == "node1" && status.LastIndex == settledIndex {
			return q, p
		}
		p.Stop()
	}
	t.Fatal("five fresh starts, and each time an election had to be repeated")
	return nil, nil
}

// waitLevel waits until each node has applied what any of them has: a follower gathers for a moment, and is not ready while it has
// a restore to load.
func (q *quickStart) waitLevel(timeout time.Duration) {
	q.t.Helper()
	var last uint64
	for _, n := range q.nodes {
		status, err := n.client.Status(q.t.Context())
		require.NoError(q.t, err)
		last = max(last, status.LastIndex)
	}
	for _, n := range q.nodes {
		cluster.Eventually(q.t, timeout, fmt.Sprintf("%s is to have applied entry %d", n.id, last), func() error {
			status, err := n.client.Status(q.t.Context())
			if err == nil && status.Applied < last {
				err = fmt.Errorf("it has applied %d", status.Applied)
			}
			return err
		})
	}
	q.waitReady(timeout)
}

// readmeStep is a command and what its output holds.
type readmeStep struct {
	command string
	want    []string
}

var (
	assignment   = regexp.MustCompile(`^(\w+)=\$\(`)
	readmeBlock  = regexp.MustCompile("(?s)```sh\n(.*?)```")
	explanation  = regexp.MustCompile(`\s{4,}.*$`)
	statusFirst  = regexp.MustCompile(`^([1-5]\d\d) `)
	betweenParts = regexp.MustCompile(`…|\s{2,}`)
)

// readmeSteps reads the commands of all parts, and the comments right below each. There, … and two blanks
// stand for anything, and four blanks begin an explanation.
func readmeSteps(t *testing.T, q *quickStart) (steps []readmeStep) {
	t.Helper()
	for _, of := range readmeParts {
		text, err := os.ReadFile("../../" + of.page)
		require.NoError(t, err)
		for _, part := range of.parts {
			_, section, found := strings.Cut(q.onOurPorts(string(text)), "\n## "+part+"\n")
			require.True(t, found, part)
			section, _, _ = strings.Cut(section, "\n## ")
			for _, block := range readmeBlock.FindAllStringSubmatch(section, -1) {
				steps = append(steps, blockSteps(block[1])...)
			}
		}
	}
	return steps
}

// onOurPorts puts the ports of these nodes in the place of the default ones: in addresses, in URLs and in JSON.
func (q *quickStart) onOurPorts(text string) string {
	for i, n := range q.nodes {
		text = strings.NewReplacer(fmt.Sprintf(":%d", 8081+i), fmt.Sprintf(":%d", n.public), fmt.Sprintf(":%d", 7001+i), fmt.Sprintf(":%d", n.peer),
			fmt.Sprintf("--port %d", 8081+i), fmt.Sprintf("--port %d", n.public)).Replace(text)
	}
	return text
}

func blockSteps(block string) (steps []readmeStep) {
	below := false
	for line := range strings.SplitSeq(block, "\n") {
		said, isComment := strings.CutPrefix(line, "# ")
		switch {
		case strings.TrimSpace(line) == "":
			below = false
		case !isComment:
			steps = append(steps, readmeStep{command: line})
			below = true
		case below:
			last := &steps[len(steps)-1]
			said = statusFirst.ReplaceAllString(explanation.ReplaceAllString(strings.TrimLeft(said, " "), ""), "$1…")
			last.want = append(last.want, betweenParts.Split(said, -1)...)
		}
	}
	return steps
}

// output is what a reader sees of a step.
func (q *quickStart) output(t *testing.T, env []string, step readmeStep) string {
	t.Helper()
	if strings.HasPrefix(step.command, "curl -N ") {
		return q.streamed(t, env, step)
	}
	return q.shell(t, env, strings.ReplaceAll(step.command, "wait=30s", "wait=100ms")) // nothing comes
}

// shell runs a command as the reader's shell does.
func (q *quickStart) shell(t *testing.T, env []string, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	output, err := q.command(ctx, env, "set -o pipefail; "+command).Output()
	require.NoError(t, err, "%s\n%s", command, output)
	return string(output)
}

// streamed runs a command that goes on until the reader, who has seen all that the page shows, ends it.
func (q *quickStart) streamed(t *testing.T, env []string, step readmeStep) (output string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := q.command(ctx, env, "exec "+step.command)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for lines := bufio.NewScanner(stdout); !holdsAll(output, step.want) && lines.Scan(); {
		output += lines.Text() + "\n"
	}
	cancel()
	require.Error(t, cmd.Wait(), "%s ended by itself", step.command)
	return output
}

func holdsAll(output string, wanted []string) bool {
	for _, want := range wanted {
		if !strings.Contains(dense(output), dense(want)) {
			return false
		}
	}
	return true
}

func (q *quickStart) command(ctx context.Context, env []string, command string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", ofOurs(command))
	cmd.Dir, cmd.Env = q.dir, env
	return cmd
}

// ofOurs has a command run the program of this test.
func ofOurs(command string) string {
	return strings.NewReplacer("go run .", program, "bin/versiond", program).Replace(command)
}

// dense takes out what is laid out differently.
func dense(text string) string { return strings.Join(strings.Fields(text), "") }
