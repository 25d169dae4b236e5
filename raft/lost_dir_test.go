package raft

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A node whose directory is taken from under it writes on into files that have no name, and what it acknowledges is
// gone at its next start. It must notice within seconds, whatever was taken, and say what to do.
func TestNodeEndsWhenItsDirectoryIsTaken(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"removed":     os.RemoveAll,
		"moved":       func(path string) error { return os.Rename(path, path+".moved") },
		"made again":  func(path string) error { return replaced(path, lockFile) },
		"raft.db":     func(path string) error { return os.Remove(filepath.Join(path, logFile)) },
		"log emptied": func(path string) error { return emptied(filepath.Join(path, logDir)) },
		"lock replaced": func(path string) error {
			return errors.Join(os.Remove(filepath.Join(path, lockFile)), os.WriteFile(filepath.Join(path, lockFile), nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTestConfig(t)
			n := c.mustLead(t)
			n.mustAdd(t, "a", 3)
			watch, err := newDirWatch(n.dir, func() bool { return true })
			require.NoError(t, err)
			require.NoError(t, watch.look(), "a directory that is as it was")
			watch.close()
			require.NoError(t, take(c.path))
			select {
			case <-n.Failed():
			case <-time.After(10 * time.Second):
				t.Fatal("it goes on")
			}
			require.ErrorIs(t, n.Err(), ErrDirLost)
			require.ErrorContains(t, n.Err(), c.path)
			require.ErrorContains(t, n.Err(), model.RejoinAdvice)
		})
	}
}

func replaced(path, file string) error {
	return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o750), os.WriteFile(filepath.Join(path, file), nil, 0o600))
}

func emptied(path string) error { return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o750)) }

// What such a node has written again is no new directory: a start says that, and what to do.
func TestStartOnARemnantSaysWhatToDo(t *testing.T) {
	for _, left := range []string{logDir, snapshotsDir} {
		path := filepath.Join(t.TempDir(), "node1")
		require.NoError(t, os.MkdirAll(filepath.Join(path, left, "x"), 0o750))
		_, err := OpenDataDir(path, "node1")
		require.ErrorIs(t, err, model.ErrCorrupt)
		require.ErrorContains(t, err, left)
		require.ErrorContains(t, err, model.RejoinAdvice)
	}
}

// An identity that was made anew beside a log says as much.
func TestLogWithoutAClusterSaysWhatToDo(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 3)
	n.close(t)
	d := mustDataDir(t, c.path)
	require.NoError(t, d.SetCluster(Membership{}))
	listener, err := ListenPeers("127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, errors.Join(listener.Close(), d.Close())) }()
	_, err = RaftInitializerImpl{Config: NodeConfig{
		Address: "127.0.0.1:7001", Dir: d, Listener: listener, Peers: noPeers{}, Log: slog.New(slog.DiscardHandler), Tuning: c.tuning,
	}}.InitRaft(newFakeService(c.store))
	require.ErrorIs(t, err, model.ErrCorrupt)
	require.ErrorContains(t, err, model.RejoinAdvice)
}
