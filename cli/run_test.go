package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/config"
	certify "versiond/test/harness/authority"
)

// logLines is a log, line by line.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// What SIGHUP takes from a file has to be right where the nodes run, not where the file would have them run after a restart:
// one that may be reached from elsewhere would have no tokens, one without TLS ask for certificates alone, an audit be hidden.
func TestHangupTakesOnlyWhatGoesWithTheRest(t *testing.T) {
	const where = "server: {bind: 0.0.0.0}\ncluster: {secret: a-secret-that-nodes-share}\n"
	const tokens = "auth: {tokens: [{name: ops, role: admin, secret: a-secret-of-16-bytes}]}\n"
	file, log := filepath.Join(t.TempDir(), "versiond.yaml"), make(logLines, 10)
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	started := func(_ context.Context, _ config.Config, anew <-chan config.Config, _ *slog.Logger, _ io.Writer) error {
		hangUp := func(text string) (line string, taken config.Config) {
			write(text)
			require.NoError(t, self.Signal(syscall.SIGHUP))
			for late := time.After(10 * time.Second); ; {
				select {
				case taken = <-anew:
				case line = <-log:
					return line, taken
				case <-late:
					t.Fatal("the log does not say what came of it")
				}
			}
		}
		for text, want := range map[string]string{
			"server: {bind: 127.0.0.1}": "auth.tokens: is empty, so that everybody who reaches 0.0.0.0 could change everything",
			where + "tls: {certFile: a, keyFile: b, clientCAFile: c}\nauth: {certificates: [{name: ops, role: admin}]}": "tls.clientCAFile: is empty",
			where + tokens + "log: {level: error}": "which hides the lines of log.audit",
		} {
			line, taken := hangUp(text)
			require.Contains(t, line, "SIGHUP: the settings cannot be taken, and stay as they were")
			require.Contains(t, line, want)
			require.Empty(t, taken)
		}
		line, taken := hangUp("log: {level: debug}\n" + strings.Replace(tokens, "ops", "other", 1))
		require.Contains(t, line, "were read anew")
		require.Equal(t, "debug", taken.Log.Level)
		require.Equal(t, "other", taken.Auth.Tokens[0].Name)
		require.Equal(t, "0.0.0.0", taken.Server.Bind)
		return nil
	}
	write(where + tokens + "log: {audit: true}")
	require.Zero(t, Program{Start: started, Stdout: io.Discard, Stderr: log}.Run([]string{"--config", file}))
}

// A file that was replaced by a pipe nobody writes to, or lies on a network that is away, never answers: who then tells the
// nodes to stop must not have to kill them.
func TestSettingsThatDoNotAnswerKeepNobodyFromStopping(t *testing.T) {
	file := filepath.Join(t.TempDir(), "versiond.yaml")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	started := func(ctx context.Context, _ config.Config, _ <-chan config.Config, _ *slog.Logger, _ io.Writer) error {
		certify.Hang(t, file)
		require.NoError(t, self.Signal(syscall.SIGHUP))
		reading, err := os.OpenFile(file, os.O_WRONLY, 0) // once it is read
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, reading.Close()) })
		require.NoError(t, self.Signal(syscall.SIGTERM))
		<-ctx.Done()
		return nil
	}
	ended := make(chan int)
	go func() {
		ended <- Program{Start: started, Stdout: io.Discard, Stderr: io.Discard}.Run([]string{"--config", file})
	}()
	select {
	case code := <-ended:
		require.Zero(t, code)
	case <-time.After(10 * time.Second):
		t.Fatal("the process waits for the file")
	}
}
