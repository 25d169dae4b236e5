//go:build long

package system_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

const (
	retryWorkers = 8
	// retryRounds is how often the leader is killed, retryWrites how many requests are answered between.
	retryRounds, retryWrites = 3, 200
	retryPause               = 20 * time.Millisecond
)

// retrier sends requests with keys until they are answered, from node to node, and keeps the answers.
type retrier struct {
	t       *testing.T
	clients []*cluster.Client

	answered, unknown, replayed atomic.Int64

	mu      sync.Mutex
	want    map[string]uint64 // the revision of every record that must be there
	answers map[cluster.Keyed]cluster.KeyedAnswer
	failed  error
}

// A write with a key may be sent again until it is answered, over failovers, restarts, snapshots and
// restores, and is done once: a create that was done is never answered with 409 and an update that depends
// on a revision never with 412. If this fails, nobody can rely on a retry.
func TestRetriesWithKeysAreDoneOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config("VERSIOND_RAFT_SNAPSHOTTHRESHOLD=128", "VERSIOND_RAFT_TRAILINGLOGS=64", "VERSIOND_RAFT_SNAPSHOTINTERVAL=1s"))
		r := &retrier{t: t, clients: c.Clients(), want: map[string]uint64{}, answers: map[cluster.Keyed]cluster.KeyedAnswer{}}
		stop := r.start()
		for range retryRounds {
			r.await(retryWrites)
			leader := c.Leader()
			leader.Kill()
			r.await(retryWrites)
			leader.Start()
			c.WaitReady()
		}
		stop()
		t.Logf("%d requests answered, %d tries of unknown outcome, %d answers given again", r.answered.Load(), r.unknown.Load(), r.replayed.Load())
		require.NoError(t, r.failed)
		require.Positive(t, r.replayed.Load(), "no retry met its own first try: the test tested nothing")
		r.requireRows(c.RequireEqualStores())
		r.requireSameAnswers("after the failovers")

		c.StopAll()
		c.StartAll()
		c.WaitReady()
		r.requireSameAnswers("after a restart")

		mustRestoreItself(t, c.Nodes[0])
		r.requireSameAnswers("after a restore")
		r.requireRows(c.RequireEqualStores())
	})
}

func mustRestoreItself(t *testing.T, n *cluster.Node) {
	t.Helper()
	status, file, err := n.Client.Send(t.Context(), false, http.MethodGet, "/backup", nil, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	status, answer, err := n.Client.Send(t.Context(), false, http.MethodPost, "/restore", map[string]string{"Content-Type": "application/octet-stream"}, string(file))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, string(answer))
}

func (r *retrier) start() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	var workers sync.WaitGroup
	for worker := range retryWorkers {
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := r.story(fmt.Sprintf("w%d-%d", worker, i)); err != nil {
					r.fail(err)
					return
				}
			}
		})
	}
	return func() { cancel(); workers.Wait() }
}

func (r *retrier) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
}

func (r *retrier) await(more int64) {
	r.t.Helper()
	until := r.answered.Load() + more
	cluster.Eventually(r.t, time.Minute, "requests to be answered", func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.failed == nil && r.answered.Load() < until {
			return fmt.Errorf("%d of %d", r.answered.Load(), until)
		}
		return nil
	})
}

// story is a record's life in requests each of which has one right answer, however often it is sent.
func (r *retrier) story(id string) error {
	made, err := r.do(cluster.Keyed{Key: id + "-1", Method: http.MethodPost, Path: "/version",
		Content: fmt.Sprintf(`{"id":%q,"versionNo":"1","platform":"linux"}`, id)}, http.StatusCreated)
	if err != nil {
		return err
	}
	changed, err := r.do(cluster.Keyed{Key: id + "-2", Method: http.MethodPost, Path: "/version/batch",
		Content: fmt.Sprintf(`{"atomic":true,"items":[{"op":"create","id":"%s-b","versionNo":"1","platform":"linux"},{"op":"update","id":%q,"versionNo":"2","platform":"linux","ifMatch":"%d"}]}`, id, id, revisionIn(made))}, http.StatusOK)
	if err != nil {
		return err
	}
	if _, err = r.do(cluster.Keyed{Key: id + "-3", Method: http.MethodDelete, Path: "/version/" + id + "-b"}, http.StatusNoContent); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want[id] = revisionIn(changed)
	return nil
}

// revisionIn reads the revision of a record's answer, or that of the second item of a batch.
func revisionIn(answer cluster.KeyedAnswer) uint64 {
	var body struct {
		Revision uint64
		Results  []struct{ Record struct{ Revision uint64 } }
	}
	_ = json.Unmarshal([]byte(answer.Body), &body) // what cannot be read has revision 0, which nothing has
	if len(body.Results) == 2 {
		return body.Results[1].Record.Revision
	}
	return body.Revision
}

// do sends a request until it is answered.
func (r *retrier) do(k cluster.Keyed, status int) (cluster.KeyedAnswer, error) {
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(r.t.Context(), 3*time.Second)
		answer, err := r.clients[(try+len(k.Key))%len(r.clients)].SendKeyed(ctx, k)
		cancel()
		switch {
		case r.t.Context().Err() != nil:
			return answer, r.t.Context().Err()
		case err != nil && cluster.Unknown(err), answer.Status == http.StatusGatewayTimeout:
			r.unknown.Add(1)
		case err == nil && answer.Status == status:
			r.note(k, answer)
			return answer, nil
		case err == nil && answer.Status < 500 && answer.Status != http.StatusTooManyRequests:
			return answer, fmt.Errorf("%s %s, try %d: %d %s", k.Method, k.Path, try, answer.Status, answer.Body)
		}
		time.Sleep(retryPause) // no leader yet, or a node that is down
	}
}

func (r *retrier) note(k cluster.Keyed, answer cluster.KeyedAnswer) {
	r.answered.Add(1)
	if answer.Replayed {
		r.replayed.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[k] = answer
}

// requireRows makes sure that every record is at the revision that its client was told.
func (r *retrier) requireRows(rows []model.Version) {
	r.t.Helper()
	got := map[string]uint64{}
	for _, row := range rows {
		if _, finished := r.want[row.ID]; finished {
			got[row.ID] = row.Revision
		}
	}
	require.Equal(r.t, r.want, got)
}

// requireSameAnswers sends requests of before to every node.
func (r *retrier) requireSameAnswers(when string) {
	r.t.Helper()
	left := 60
	for k, want := range r.answers {
		if left--; left < 0 {
			return
		}
		want.Replayed = true
		for i, client := range r.clients {
			got, err := client.SendKeyed(r.t.Context(), k)
			require.NoError(r.t, err)
			require.Equal(r.t, want, got, "%s: %s %s on node %d", when, k.Method, k.Path, i+1)
		}
	}
}
