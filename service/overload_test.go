package service

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// However many clients read, the applier finds a connection free: were it to queue behind them, the
// leader would count as stuck under load that only reads.
func TestReadsLeaveConnectionsForTheApplier(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	for i := range 100 {
		n.mustAdd(t, fmt.Sprintf("id-%03d", i), "1")
	}
	pool, err := n.store.DB.DB()
	require.NoError(t, err)
	before := pool.Stats().WaitCount
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 3 {
				_, _, err := n.ListVersions(within(t, 20*time.Second), model.ListOptions{Limit: 100}, model.ReadOptions{Level: model.LevelNone})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, before, pool.Stats().WaitCount, "somebody had to wait for a connection")
}

// A backup holds a view of the database for as long as its client likes. Clients that do not read must
// not get so many that the node runs out of connections; the others are told to come back.
func TestBackupsAreBounded(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustAdd(t, "a", "1")
	var held []func() error
	for range backupsMax {
		_, write, err := n.OpenBackup(within(t, 5*time.Second), model.ReadOptions{Level: model.LevelNone})
		require.NoError(t, err)
		held = append(held, func() error { return write(t.Context(), io.Discard) })
	}
	_, _, err := n.OpenBackup(within(t, 5*time.Second), model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, model.ErrTooManyRequests)
	n.mustAdd(t, "b", "1")
	for _, write := range held {
		require.NoError(t, write())
	}
	n.mustBackup(t)
}

// A restore that is uploaded takes up to four gigabytes of disk. Many at once would fill it.
func TestOneRestoreAtATime(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustAdd(t, "a", "1")
	file := n.mustBackup(t)
	body, upload := io.Pipe()
	first := make(chan error, 1)
	go func() {
		_, err := n.Restore(t.Context(), body, model.RestoreOptions{Timeout: 10 * time.Second})
		first <- err
	}()
	_, err := upload.Write(file[:10]) // it is being received
	require.NoError(t, err)
	_, err = n.restore(t, file, false)
	require.ErrorIs(t, err, model.ErrTooManyRequests)
	_, err = io.Copy(upload, bytes.NewReader(file[10:]))
	require.NoError(t, err)
	require.NoError(t, upload.Close())
	require.NoError(t, <-first)
	_, err = n.restore(t, file, false)
	require.NoError(t, err)
}
