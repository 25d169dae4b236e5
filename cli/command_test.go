package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the command line answers is what scripts and supervisors go by: the exit code, errors on
// stderr alone, and one line that says what is wrong instead of a page of usage.
func TestCommandLine(t *testing.T) {
	misspelt := filepath.Join(t.TempDir(), "misspelt.yaml")
	require.NoError(t, os.WriteFile(misspelt, []byte("memoryDB:\n  capacty: 5\n"), 0o600))
	for name, each := range map[string]struct {
		args, environ []string
		code          int
		stdout        []string
		stderr        []string
	}{
		"version":                 {args: []string{"--version"}, stdout: []string{"versiond version 1.2.3 (", runtime.Version() + ")"}},
		"help":                    {args: []string{"--help"}, stdout: []string{"--config FILE", "--node ID", "--data-dir DIR", "--bind HOST", "--join", "--address", "--port N"}},
		"unknown flag":            {args: []string{"--nod", "node1"}, code: 2, stderr: []string{"versiond:", "--nod"}},
		"argument":                {args: []string{"statsu"}, code: 2, stderr: []string{"statsu", "did you mean status?"}},
		"command of cert":         {args: []string{"cert", "nodes"}, code: 2, stderr: []string{`no command "nodes"`, "did you mean node?", "versiond cert --help"}},
		"command of config":       {args: []string{"config", "chekc"}, code: 2, stderr: []string{"did you mean check?"}},
		"cert of whom":            {args: []string{"cert", "client"}, code: 2, stderr: []string{"0 arguments", "versiond cert client NAME"}},
		"cert of a path":          {args: []string{"cert", "client", "../ops"}, code: 2, stderr: []string{`"../ops" has to be`}},
		"cert of a bad host":      {args: []string{"cert", "node", "--host", "https://x"}, environ: []string{"VERSIOND_AUTH_DISABLED=true"}, code: 2, stderr: []string{"--host"}},
		"cert of too much":        {args: []string{"cert", "ca", "node1"}, code: 2, stderr: []string{"1 argument is given"}},
		"health of what":          {args: []string{"health", "node1"}, code: 2, stderr: []string{"1 argument is given", "versiond health"}},
		"unknown flag of recover": {args: []string{"recover", "--nod", "x"}, code: 1, stderr: []string{"--nod"}},
		"unknown node":            {args: []string{"--node", "node9"}, code: 1, stderr: []string{"--address"}},
		"recover whom":            {args: []string{"recover", "--yes"}, code: 1, stderr: []string{"--node"}},
		"recover an unknown node": {args: []string{"recover", "--yes", "--node", "node9"}, code: 1, stderr: []string{"--address"}},
		"recover nothing":         {args: []string{"recover", "--yes", "--node", "node1", "--data-dir", misspelt}, code: 1, stderr: []string{"nothing to recover from", misspelt}},
		"help for recover":        {args: []string{"recover", "--help"}, stdout: []string{"--yes", "--from-database", "--backup-dir", "--data-dir DIR", "run the mysqldump", "mysql DATABASE < FILE", "Exit codes"}},
		"bad flag value":          {args: []string{"--port", "http"}, code: 2, stderr: []string{"--port", "http"}},
		"unknown setting":         {args: []string{"--config", misspelt}, code: 1, stderr: []string{"capacty", "memoryDB.capacity"}},
		"no such file":            {args: []string{"--config", misspelt + "x"}, code: 1, stderr: []string{misspelt + "x"}},
		"variables of commands":   {args: []string{"config", "check"}, environ: ofCommands(), stdout: []string{"node3 at 127.0.0.1:7003"}},
		"settings of bad form":    {args: []string{"config", "check", "--config", misspelt}, code: 1, stderr: []string{"memoryDB.capacity"}},
		"settings with secrets":   {args: []string{"config", "print", "--node", "node2"}, environ: []string{"VERSIOND_MYSQL_DSN=u:hunter2@tcp(127.0.0.1:3306)/versions"}, stdout: []string{"dsn: '[redacted]'", "node: node2", "reloadInterval: 30s"}},
		"unknown variable":        {environ: []string{"VERSIOND_REDIS_ADRR=a:1"}, code: 1, stderr: []string{"VERSIOND_REDIS_ADRR", "VERSIOND_REDIS_ADDR"}},
		"value of a bad form": {
			environ: []string{"VERSIOND_SERVER_RELOADINTERVAL=often"}, code: 1,
			stderr: []string{"VERSIOND_SERVER_RELOADINTERVAL", "often"},
		},
		"value out of bounds": {
			environ: []string{"VERSIOND_MEMORYDB_EVICTRATIO=2"}, code: 1,
			stderr: []string{"memoryDB.evictRatio", "at most 1"},
		},
		"secret in a bad value": {
			environ: []string{"VERSIOND_MYSQL_DSN=hunter2"}, code: 1,
			stderr: []string{"mysql.dsn"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			require.Equal(t, each.code, Program{Release: "1.2.3", Environ: each.environ, Stdout: &stdout, Stderr: &stderr}.Run(each.args), stderr.String())
			for _, want := range each.stdout {
				require.Contains(t, stdout.String(), want)
			}
			for _, want := range each.stderr {
				require.Contains(t, stderr.String(), want)
			}
			require.NotContains(t, stdout.String()+stderr.String(), "hunter2")
			if each.code != 0 {
				require.Empty(t, stdout.String())
				require.NotContains(t, stderr.String(), "Usage:")
			} else {
				require.Empty(t, stderr.String())
			}
		})
	}
}

// ofCommands sets every variable of the commands that ask a cluster.
func ofCommands() (environ []string) {
	for _, v := range slices.Concat(variables...) {
		environ = append(environ, v.name+"=x")
	}
	return environ
}
