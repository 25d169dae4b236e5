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
	"versiond/raft/datadir"
	"versiond/raft/transport"
	"versiond/test/fakestore"
)

// A node whose directory is taken from under it writes on into files that have no name, and what it acknowledges is
// gone at its next start. It must notice within seconds, whatever was taken, and say what to do.
func TestNodeEndsWhenItsDirectoryIsTaken(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"removed":     os.RemoveAll,
		"moved":       func(path string) error { return os.Rename(path, path+".moved") },
		"made again":  func(path string) error { return replaced(path, datadir.LockFile) },
		"raft.db":     func(path string) error { return os.Remove(filepath.Join(path, datadir.StableFile)) },
		"log emptied": func(path string) error { return emptied(filepath.Join(path, datadir.LogFolder)) },
		"lock replaced": func(path string) error {
			return errors.Join(os.Remove(filepath.Join(path, datadir.LockFile)), os.WriteFile(filepath.Join(path, datadir.LockFile), nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newTestConfig(t)
			n := c.mustLead(t)
			n.mustAdd(t, "a", 3)
			watch, err := datadir.NewWatch(n.dir, func() bool { return true })
			require.NoError(t, err)
			require.NoError(t, watch.Look(), "a directory that is as it was")
			watch.Close()
			require.NoError(t, take(c.path))
			select {
			case <-n.Failed():
			case <-time.After(10 * time.Second):
				t.Fatal("it goes on")
			}
			require.ErrorIs(t, n.Err(), datadir.ErrLost)
			require.ErrorContains(t, n.Err(), c.path)
			require.ErrorContains(t, n.Err(), model.RejoinAdvice)
		})
	}
}

func replaced(path, file string) error {
	return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o750), os.WriteFile(filepath.Join(path, file), nil, 0o600))
}

func emptied(path string) error { return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o750)) }

// An identity that was made anew beside a log says as much.
func TestLogWithoutAClusterSaysWhatToDo(t *testing.T) {
	c := newTestConfig(t)
	n := c.mustLead(t)
	n.mustAdd(t, "a", 3)
	n.close(t)
	d := mustDataDir(t, c.path)
	require.NoError(t, d.SetCluster(datadir.Membership{}))
	listener, err := transport.Listen("127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, errors.Join(listener.Close(), d.Close())) }()
	_, err = RaftInitializerImpl{Config: NodeConfig{
		Address: "127.0.0.1:7001", Dir: d, Listener: listener, Peers: noPeers{}, Log: slog.New(slog.DiscardHandler), Tuning: c.tuning,
	}}.InitRaft(fakestore.NewService(c.store))
	require.ErrorIs(t, err, model.ErrCorrupt)
	require.ErrorContains(t, err, model.RejoinAdvice)
}
