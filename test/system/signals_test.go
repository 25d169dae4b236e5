package system_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// onlyNode is a quick start of a single node.
func onlyNode(t *testing.T) *quickStart {
	q := newQuickStart(t)
	q.nodes = q.nodes[:1]
	return q
}

// A terminal that is closed and a logrotate that sends SIGHUP must not end a node. If this fails, the
// process dies without a line and the lead is not handed over.
func TestHangupEndsNothing(t *testing.T) {
	q := onlyNode(t)
	file := filepath.Join(q.dir, "versiond.yaml")
	require.NoError(t, os.WriteFile(file, []byte("log: {level: info}\n"), 0o600))
	p := q.run("hangup.log", "VERSIOND_CONFIG="+file)
	q.waitReady(10 * time.Second)

	hangUp := func(want string) {
		p.Signal(syscall.SIGHUP)
		cluster.Eventually(t, 5*time.Second, want, func() error {
			if !strings.Contains(p.Log(), want) {
				return fmt.Errorf("so far: %s", p.Log())
			}
			return nil
		})
	}
	const guarded = "log: {level: debug}\nauth: {tokens: [{name: ci, role: read, secret: a-secret-of-16-bytes}]}\n"
	require.NoError(t, os.WriteFile(file, []byte(guarded), 0o600))
	hangUp("tokens and the log level were read anew")
	_, err := q.nodes[0].client.List(t.Context(), model.ReadOptions{})
	require.Equal(t, "unauthorized", cluster.CodeOf(err))
	_, err = q.nodes[0].client.As("a-secret-of-16-bytes", "").List(t.Context(), model.ReadOptions{})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte("log: {levl: debug}\n"), 0o600))
	hangUp("log.levl")
	require.NoError(t, q.nodes[0].client.Ready(t.Context()))
	p.Stop()
	lines := strings.Split(strings.TrimSpace(p.Log()), "\n")
	require.Contains(t, lines[len(lines)-1], "msg=stopped")
}

// Whatever reads the log may end, or stop reading, and the node must go on: the next line into a pipe that
// nobody reads would otherwise end the process, and one into a full pipe hold up whoever writes it.
func TestLogThatNobodyReadsEndsNothing(t *testing.T) {
	for name, stopReading := range map[string]func(*testing.T, *os.File){
		"reader ends":  func(t *testing.T, reader *os.File) { require.NoError(t, reader.Close()) },
		"reader hangs": func(*testing.T, *os.File) {},
	} {
		t.Run(name, func(t *testing.T) {
			q := onlyNode(t)
			reader, writer, err := os.Pipe()
			require.NoError(t, err)
			t.Cleanup(func() { _ = reader.Close() })
			cmd := exec.Command(program, "--log-level", "debug")
			cmd.Env, cmd.Stdout, cmd.Stderr = q.env(), writer, writer
			require.NoError(t, cmd.Start())
			require.NoError(t, writer.Close())
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			q.waitReady(10 * time.Second)
			_, err = bufio.NewReader(reader).ReadString('\n')
			require.NoError(t, err)

			stopReading(t, reader)
			for range 3000 { // each a line, more than the pipe and the process keep
				require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
			}
			for i := range 20 {
				_, err := q.nodes[0].client.Add(t.Context(), record(fmt.Sprintf("unread-%d", i)))
				require.NoError(t, err)
			}
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			select {
			case err := <-ended:
				require.NoError(t, err)
			case <-time.After(15 * time.Second):
				t.Fatal("it did not end after SIGTERM")
			}
		})
	}
}
