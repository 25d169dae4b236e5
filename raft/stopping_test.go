package raft

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/raft/datadir"
	"versiond/test/fakestore"
)

// stoppingService is a store on which this node's stop cuts off a transaction.
type stoppingService struct {
	*fakestore.Service
	stop context.CancelFunc
}

func (s stoppingService) CommitInternal(context.Context, string, model.Position, model.Position) error {
	s.stop()
	return fmt.Errorf("commit: %w", context.Canceled)
}

// What a node's own stop cuts off under load is no failure of its store: "writing to the store failed" as the
// last words of a clean stop sends people looking for one.
func TestStopIsNoFailureOfTheStore(t *testing.T) {
	var log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	service := stoppingService{fakestore.NewService(&fakestore.Store{}), stop}
	a := &applier{
		decider: decider{service: service}, fsm: newTestFSM(service), progress: newProgress(), log: slog.New(slog.NewTextHandler(&log, nil)),
		dir: &datadir.Dir{},
	}
	require.Error(t, a.commit(ctx, model.Position{Index: 1, Term: 1}))
	require.Empty(t, log.String())
	require.NoError(t, a.progress.StoreFailure())
}
