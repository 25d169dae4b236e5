package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/client"
)

// What commands answer, and with which code they end: scripts go by both.
func TestCommandsOnRecords(t *testing.T) {
	for _, each := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"create cmd 1.0.0 linux --min-version 0.9 --attribute url=https://x,y=1", 0, "minVersionNo  0.9\n", ""},
		{"create cmd 1.0.0 linux", exitConflict, "", "versiond: already_exists: a record with this id exists already"},
		{"create cmd/bad 1.0.0 l --scheme semantic", exitUsage, "", "scheme: "},
		{"get cmd", 0, "id            cmd\nversionNo     1.0.0\n", ""},
		{"create cmd/bad 1 l --attribute url", exitUsage, "", "NAME=VALUE"},
		{"get cmd/none", exitNotFound, "", "not_found"},
		{"get cmd/none -o json", exitNotFound, "", `{"code":"not_found","detail":"no record has this id","status":404,"node":"node`},
		{"get cmd -o json --level leader", 0, `{"id":"cmd","versionNo":"1.0.0"`, ""},
		{"update cmd 1.1.0 --rollout 0", 0, "rollout       0%\n", ""},
		{"update cmd --withdrawn --mandatory", 0, "withdrawn     yes\n", ""},
		{"update cmd --withdrawn=false --clear attributes,rolloutPercent,minVersionNo", 0, "platform   linux\nmandatory  yes\nrevision ", ""},
		{"update cmd 1.0.9 --newer", exitConflict, "", "not_newer"},
		{"update cmd 1.10.0 --newer", 0, "versionNo  1.10.0\n", ""},
		{"update cmd 2 --if-revision 4096", exitConflict, "", "revision_mismatch"},
		{"update cmd --clear withdraw", exitUsage, "", "withdrawn"},
		{"update cmd --newer", exitUsage, "", "VERSION"},
		{"update cmd 3 --if-revision 0", exitUsage, "", "--if-revision must be above 0"},
		{"delete cmd --if-revision 0", exitUsage, "", "--if-revision must be above 0"},
		{"update cmd --min-version=", exitUsage, "", "--min-version needs a value; --clear takes out"},
		{"create cmd/bad 1 l --scheme=", exitUsage, "", "--scheme needs a value; leave it out"},
		{"update cmd --platform=", exitUsage, "", "--platform needs a value"},
		{"update cmd/none 2", exitNotFound, "", "not_found"},
		{"check 1.9.0 cmd", 0, "update   mandatory\ncurrent  1.9.0\nlatest   1.10.0 (cmd)\n", ""},
		{"check 1.9.0 --prefix cmd --exit-code", exitMandatory, "update   mandatory\n", ""},
		{"check 1.10.0 cmd --exit-code", 0, "update   none\n", ""},
		{"update cmd --mandatory=false", 0, "versionNo  1.10.0\n", ""},
		{"check 1.9.0 cmd --exit-code -o json", exitOptional, `{"update":"optional"`, ""},
		{"check 1.9.0", exitUsage, "", "of which records?"},
		{"latest cmd -o json", 0, `{"id":"cmd"`, ""},
		{"latest cmd/none", exitNotFound, "", "not_found"},
		{"compare 1.9 1.10", 0, "1.9 < 1.10  (natural)\n", ""},
		{"compare 1 x --scheme semver", exitUsage, "", "three numbers"},
		{"list --prefix cmd", 0, "ID   VERSION  PLATFORM  MORE\ncmd  1.10.0   linux\n", ""},
		{"list --prefix cmd/none -o json", 0, "[]\n", ""},
		{"delete cmd cmd/none", exitNotFound, "deleted cmd\n", "cmd/none: not_found"},
		{"get", exitUsage, "", "0 arguments are given; the command is: versiond get ID [flags]\nversiond get --help"},
		{"get cmd --level most", exitUsage, "", "--level must be linearizable, leader, none"},
		{"get cmd -o yaml", exitUsage, "", "table or json"},
		{"get cmd --url ftp://a", exitUsage, "", "http://"},
		{"get cmd --timeout 0s", exitUsage, "", "--timeout"},
		{"get cmd --token x", exitOther, "", "VERSIOND_TOKEN_FILE"},
		{"get cmd --url http://127.0.0.1:1 --timeout 100ms", exitUnavailable, "", "http://127.0.0.1:1: connection refused\nversiond status"},
	} {
		r := command(t, "", strings.Fields(each.args)...)
		require.Equal(t, each.code, r.code, "%s: %s", each.args, r.stderr)
		require.Contains(t, r.stdout, each.stdout, each.args)
		require.Contains(t, r.stderr, each.stderr, each.args)
		if each.stderr == "" {
			require.Empty(t, r.stderr, each.args)
		}
	}
}

// A token comes from a flag, a file or the environment; the nearest counts, and it is in no message.
func TestTokenFiles(t *testing.T) {
	good, empty := filepath.Join(t.TempDir(), "token"), filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(good, []byte(adminSecret+"\n"), 0o600))
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.Zero(t, command(t, "", "list", "--token-file", good).code)
	require.Contains(t, command(t, "", "list", "--token-file", empty).stderr, "is empty")
	require.Contains(t, command(t, "", "list", "--token-file", good+"x").stderr, "no such file")
	both := command(t, "", "list", "--token-file", good, "--token", "hunter2")
	require.Equal(t, exitUsage, both.code)
	require.NotContains(t, both.stderr, "hunter2")
}

// A shell completes ids with what the cluster has, and stays silent when it does not answer.
func TestCompletion(t *testing.T) {
	must(t, "create", "complete-me", "1", "linux")
	require.Contains(t, must(t, "__complete", "get", "complete-"), "complete-me\n")
	require.Contains(t, must(t, "__complete", "check", "1.0", "complete-"), "complete-me\n")
	require.NotContains(t, must(t, "__complete", "check", "complete-"), "complete-me")
	require.NotContains(t, must(t, "__complete", "get", "x", "complete-"), "complete-me")
	require.Contains(t, must(t, "__complete", "remove", ""), "node1\nnode2\nnode3\n")
	require.Contains(t, must(t, "__complete", "list", "-o", ""), "table\njson\n")
	dead := commandOn(t, []string{"http://127.0.0.1:1"}, "", "__complete", "get", "complete-")
	require.Zero(t, dead.code)
	require.True(t, strings.HasPrefix(dead.stdout, ":"), dead.stdout)
}

// What is asked once, such as a removal, may take a node's share of the time, and what others could be asked five seconds.
func TestNodesGetTheirShareOfTheTime(t *testing.T) {
	asked := make(chan string, 1)
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("timeout")
		w.Header().Set("X-Versiond-Node", "node1")
	}))
	defer node.Close()
	for _, each := range []struct {
		addresses int
		command   string
		timeout   string
		told      string
	}{
		{1, "remove", "20s", "20s"}, {1, "remove", "1s", "1s"}, {1, "remove", "90s", "1m0s"}, {3, "remove", "20s", "6.667s"}, {3, "remove", "10s", "5s"},
		{1, "delete", "20s", "5s"},
	} {
		urls := slices.Repeat([]string{node.URL}, each.addresses)
		for i := range urls {
			urls[i] += fmt.Sprint("/", i)
		}
		require.Zero(t, commandOn(t, urls, "", each.command, "node9", "--timeout", each.timeout).code)
		require.Equal(t, each.told, <-asked, "%+v", each)
	}
}

func TestCommandsOnTheCluster(t *testing.T) {
	require.Contains(t, must(t, "peers"), "node3  voter  ")
	require.Contains(t, must(t, "leader"), " leads, at 127.0.0.1:")
	var leader client.Leader
	require.NoError(t, json.Unmarshal([]byte(must(t, "leader", "-o", "json")), &leader))
	other := map[bool]string{true: "node2", false: "node1"}[leader.ID == "node1"]
	require.Contains(t, must(t, "leader", other), other+" leads")
	require.Equal(t, exitNotFound, command(t, "", "leader", "nobody").code)
	require.Equal(t, exitNotFound, command(t, "", "remove", "nobody").code)
	require.Equal(t, exitUnavailable, command(t, "", "join", "node4", "127.0.0.1:1").code)
	require.Equal(t, exitUsage, command(t, "", "join", "node4", "127.0.0.1:1", "--no-vote=x").code)
}

// A backup is there as a whole or not at all, and brings everything back.
func TestBackupAndRestoreByCommands(t *testing.T) {
	must(t, "create", "backup-me", "1", "linux")
	file := filepath.Join(t.TempDir(), "versions.backup")
	require.Contains(t, command(t, "", "backup", file).stderr, "saved the records at index ")
	must(t, "delete", "backup-me")
	require.Regexp(t, `^restored \d+ records at index \d+\n$`, must(t, "restore", file))
	must(t, "get", "backup-me")
	text := must(t, "backup", "-")
	require.Greater(t, len(text), 50)

	before, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Equal(t, exitUnavailable, commandOn(t, []string{"http://127.0.0.1:1"}, "", "backup", file+"2", "--timeout", "50ms").code)
	after, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Equal(t, len(before), len(after), "what is not whole is gone")
	require.NoError(t, os.WriteFile(file, []byte(text[:20]), 0o600))
	require.Equal(t, exitUsage, command(t, "", "restore", file).code)

	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	reader, err := os.OpenFile(pipe, os.O_RDWR|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer reader.Close()
	must(t, "export", pipe, "--prefix", "backup-me")
	require.NoError(t, reader.SetReadDeadline(time.Now().Add(10*time.Second)))
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err, "a pipe was replaced")
	require.Contains(t, line, "backup-me")
}

// Whatever answers in the place of a node, nothing is said to be done, and the last good backup stays.
func TestCommandsThatNoNodeAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "versions.backup")
	must(t, "backup", file)
	good, err := os.ReadFile(file)
	require.NoError(t, err)
	for name, answer := range map[string]struct {
		node string
		body []byte
	}{"a page to log in": {body: []byte("<html>Log in</html>")}, "a damaged backup": {"node1", good[:len(good)-1]}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if answer.node != "" {
				w.Header().Set("X-Versiond-Node", answer.node)
			}
			_, _ = w.Write(answer.body)
		}))
		r := commandOn(t, []string{server.URL}, "", "backup", file, "--timeout", "50ms")
		require.Equal(t, exitOther, r.code, name)
		require.Contains(t, r.stderr, "not_versiond", name)
		require.NotContains(t, r.stderr, "saved", name)
		is, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, good, is, name)
		left, err := os.ReadDir(filepath.Dir(file))
		require.NoError(t, err)
		require.Len(t, left, 1, "what is not whole is gone")
		if answer.node == "" {
			for _, args := range []string{"delete x", "remove node3"} {
				r = commandOn(t, []string{server.URL}, "", append(strings.Fields(args), "--timeout", "50ms")...)
				require.Equal(t, exitOutcomeUnknown, r.code, args)
				require.Empty(t, r.stdout, args)
			}
			r = commandOn(t, []string{server.URL}, "", "watch", "--timeout", "50ms")
			require.Equal(t, exitOther, r.code)
			require.Contains(t, r.stderr, "answered 200 OK, and not as a node does")
		}
		server.Close()
	}
}
