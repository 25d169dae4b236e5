package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/naming"
	"versiond/test/harness/inprocess"
)

const adminSecret = "of the administrator"

// urls are those of three nodes that all tests share. Each test has ids of its own.
var urls []string

func TestMain(m *testing.M) {
	os.Exit(inprocess.Main(m, &urls, controller.Token{Name: "ops", Role: naming.RoleAdmin, Secret: adminSecret}))
}

// ran is what came of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// command runs versiond with what a shell would give it, on the nodes of all tests.
func command(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	return commandOn(t, urls, stdin, args...)
}

func commandOn(t *testing.T, urls []string, stdin string, args ...string) ran {
	t.Helper()
	return commandIn(t, []string{"VERSIOND_URL=" + strings.Join(urls, ","), "VERSIOND_TOKEN=" + adminSecret}, stdin, args...)
}

func commandIn(t *testing.T, environ []string, stdin string, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := Program{Release: "1.2.3", Environ: environ, Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr}
	code := p.Run(args)
	return ran{code, stdout.String(), stderr.String()}
}

// must runs a command that has to go well, and returns what it prints.
func must(t *testing.T, args ...string) string {
	t.Helper()
	r := command(t, "", args...)
	require.Zero(t, r.code, r.stderr)
	return r.stdout
}
