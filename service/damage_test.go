package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/damage"
)

// damaged runs a test for every kind of damage that can be done to the embedded database.
func damaged(t *testing.T, kinds []damage.Kind, run func(t *testing.T, harm func(n *testNode))) {
	for _, kind := range kinds {
		if kind.SQLite == nil {
			continue
		}
		t.Run(kind.Name, func(t *testing.T) {
			run(t, func(n *testNode) {
				for _, statement := range kind.SQLite {
					n.exec(t, statement)
				}
			})
		})
	}
}

// Whatever somebody does to the database of a node that is idle must be seen by it and by operators, and be mended
// without them.
func TestDamageIsSeenAndMended(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustOpen(t) // the guard does not run
	require.NoError(t, n.node.Bootstrap("cluster1"))
	for _, id := range []string{"a", "b", "c"} {
		n.mustAdd(t, id, "1")
	}
	n.mustBeReady(t)
	damaged(t, damage.Kinds(), func(t *testing.T, harm func(n *testNode)) {
		n.lookAtAll(t)
		require.Empty(t, failing(n.Readiness(t.Context())), "nothing has happened yet")
		harm(n)
		n.lookAtAll(t)
		require.Contains(t, failing(n.Readiness(t.Context())), "content")
		n.requireServesNothing(t)
		n.mustBeRepaired(t)
		n.requireRows(t, "a", "b", "c")
	})
	n.lookAtAll(t)
	require.Empty(t, failing(n.Readiness(t.Context())), "what was built anew is found wrong again")
}

// mustBeRepaired guards the store until it is well again.
func (n *testNode) mustBeRepaired(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var guard sync.WaitGroup
	guard.Go(func() { n.guard.Run(ctx) })
	n.mustBeReady(t)
	cancel()
	guard.Wait()
}

// lookAtAll does what a node does from time to time.
func (n *testNode) lookAtAll(t *testing.T) {
	t.Helper()
	n.guard.CheckForm(t.Context())
	require.NoError(t, n.ReLoadCacheDataInternal(t.Context()))
}

// The same under writes: none that was refused may ever be read, none that was acknowledged be lost, and the node
// comes back while they go on.
func TestDamageUnderWrites(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	w := &conditionalWriter{n: n}
	damaged(t, damage.Kinds(), func(t *testing.T, harm func(n *testNode)) {
		w.t = t
		w.write(3)
		harm(n)
		w.write(3)
		n.lookAtAll(t)
		n.mustBeReady(t)
		w.readAll()
		n.lookAtAll(t)
		require.NoError(t, n.trust.Err())
	})
}

// A node must come back by a restart too, whatever was done to its database meanwhile.
func TestDamageMeanwhile(t *testing.T) {
	t.Parallel()
	for _, group := range damage.Groups() {
		damaged(t, group.Kinds[:1], func(t *testing.T, harm func(n *testNode)) {
			first := nodeOptions{}.mustLead(t)
			w := &conditionalWriter{t: t, n: first}
			w.write(5)
			harm(first)
			first.close()
			w.n = nodeOptions{path: first.path}.mustLead(t)
			w.readAll()
			w.write(1)
			w.readAll()
		})
	}
}

// conditionalWriter makes writes whose outcomes depend on what was applied before them, and applied once.
type conditionalWriter struct {
	t     *testing.T
	n     *testNode
	count int
	known []model.VersionDB // what must be there
}

// write has updates of new records refused, and adds those; what is read then is never the update.
func (w *conditionalWriter) write(records int) {
	w.t.Helper()
	for range records {
		w.count++
		id := fmt.Sprint("id-", w.count)
		require.ErrorIs(w.t, w.do(func(ctx context.Context) error {
			_, err := w.n.UpdateVersion(ctx, record(id, "refused"), model.WriteOptions{})
			return err
		}), model.ErrNotFound)
		require.NoError(w.t, w.do(func(ctx context.Context) error {
			added, err := w.n.AddVersion(ctx, record(id, "1"), model.WriteOptions{})
			w.known = append(w.known, added.Record)
			return err
		}))
		w.read(id)
	}
}

// do tries as a client does whom a node that mends its store sends away.
func (w *conditionalWriter) do(ask func(context.Context) error) (err error) {
	w.t.Helper()
	eventually(w.t, func() bool {
		err = ask(within(w.t, 10*time.Second))
		return !isSentAway(err)
	})
	return err
}

func isSentAway(err error) bool {
	return errors.Is(err, model.ErrStoreUnavailable) || errors.Is(err, model.ErrNotCaughtUp) || errors.Is(err, model.ErrNoLeader) || errors.Is(err, model.ErrTimeout)
}

// read reads at the strongest level, as often as it takes, past what caches have.
func (w *conditionalWriter) read(id string) {
	w.t.Helper()
	w.n.redis.memory.Clear()
	var result model.Result
	require.NoError(w.t, w.do(func(ctx context.Context) (err error) {
		result, err = w.n.GetVersionByID(ctx, id, model.ReadOptions{Level: model.LevelLinearizable})
		return err
	}))
	require.Equal(w.t, "1", result.Record.VersionNo)
}

func (w *conditionalWriter) readAll() {
	w.t.Helper()
	w.n.redis.memory.Clear()
	for _, r := range w.known {
		require.Equal(w.t, r, w.n.mustGet(w.t, r.ID))
	}
}
