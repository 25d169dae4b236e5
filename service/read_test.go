package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"versiond/db"
	"versiond/model"
)

var levels = []model.Level{model.LevelNone, model.LevelLeader, model.LevelLinearizable}

// Whatever the level, a node alone must read its last acknowledged write, label the answer with an
// index that covers it, and say of a missing id that it is missing.
func TestEveryLevelReadsTheLastWrite(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	added := n.mustAdd(t, "a", "1")
	updated, err := n.UpdateVersion(t.Context(), record("a", "2"), model.WriteOptions{IfRevision: added.Record.Revision})
	require.NoError(t, err)
	_, err = n.UpdateVersion(t.Context(), record("a", "3"), model.WriteOptions{IfRevision: added.Record.Revision})
	require.ErrorIs(t, err, model.ErrRevisionMismatch)
	for _, level := range levels {
		read, err := n.GetVersionByID(within(t, 5*time.Second), "a", model.ReadOptions{Level: level})
		require.NoError(t, err, level)
		require.Equal(t, updated.Record, read.Record, level)
		require.GreaterOrEqual(t, read.Index, updated.Index, level)
		missing, err := n.GetVersionByID(within(t, 5*time.Second), "b", model.ReadOptions{Level: level})
		require.ErrorIs(t, err, model.ErrNotFound, level)
		require.GreaterOrEqual(t, missing.Index, updated.Index, level)
	}
}

// min_index is how a client reads its own writes anywhere: the read must wait for the index, no
// longer than the client's time, and no shorter.
func TestMinIndexIsWaitedFor(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	next := n.mustAdd(t, "a", "1").Index + 1
	for i, level := range levels {
		id := fmt.Sprint("later-", i)
		opts := model.ReadOptions{Level: level, MinIndex: next}
		_, err := n.GetVersionByID(within(t, 50*time.Millisecond), "a", opts)
		require.ErrorIs(t, err, model.ErrTimeout, level)
		_, _, err = n.ListVersions(within(t, 50*time.Millisecond), model.ListOptions{Limit: 1}, opts)
		require.ErrorIs(t, err, model.ErrTimeout, level)

		read := make(chan error, 1)
		ctx := within(t, 10*time.Second)
		go func() {
			_, err := n.GetVersionByID(ctx, id, opts)
			read <- err
		}()
		next = n.mustAdd(t, id, "1").Index + 1
		require.NoError(t, <-read, "%s: it did not wait for the write", level)
	}
}

// An answer is labelled with an index that covers what it shows, also of what readers see a moment before that is applied. If this
// fails, a client that asks the next node from that index on is shown what was before.
func TestTheLabelCoversWhatIsShown(t *testing.T) {
	t.Parallel()
	var hold atomic.Bool
	seen, release := make(chan struct{}), make(chan struct{})
	n := nodeOptions{applied: func() {
		if hold.CompareAndSwap(true, false) {
			seen <- struct{}{}
			<-release
		}
	}}.mustLead(t)
	n.mustWatchable(t)
	n.mustAdd(t, "a", "1")
	n.mustAdd(t, "b", "1")
	n.mustAdd(t, "c", "1")
	opts := model.ReadOptions{Level: model.LevelNone}
	get := func(ctx context.Context) (uint64, error) {
		read, err := n.GetVersionByID(ctx, "a", opts)
		return read.Index, err
	}
	history := func(ctx context.Context) (uint64, error) {
		history, index, err := n.History(ctx, model.HistoryOptions{ID: "a", Limit: 1}, opts)
		require.Equal(t, "3", history.Items[0].VersionNo)
		return index, err
	}
	newest := func(ids []string, versions ...string) func(ctx context.Context) (uint64, error) {
		return func(ctx context.Context) (uint64, error) {
			candidates, index, err := n.Candidates(ctx, model.Candidates{IDs: ids}, opts)
			require.Len(t, candidates.Records(), len(versions))
			for i, want := range versions {
				require.Equal(t, want, candidates.Records()[i].VersionNo)
			}
			return index, err
		}
	}
	both := []string{"a", "b"}
	for _, c := range []struct {
		name  string
		write model.Command
		read  func(context.Context) (uint64, error)
		want  error
	}{
		{"record", update("a", "2", 0), get, nil},
		{"history", update("a", "3", 0), history, nil},
		{"newest", update("a", "4", 0), newest(both[:1], "4"), nil},
		{"newest of two", update("b", "5", 0), newest(both, "5", "4"), nil},
		{"newest of two of which one is deleted", remove("b", 0), newest(both, "4"), nil},
		{"newest of one that is deleted", remove("c", 0), newest([]string{"c"}), nil},
		{"none", remove("a", 0), get, model.ErrNotFound},
	} {
		hold.Store(true)
		written := make(chan uint64, 1)
		go func() {
			result, err := n.WriteBatch(context.Background(), model.Unit{Commands: []model.Command{c.write}}, "")
			assert.NoError(t, err)
			written <- result.Outcomes[0].Revision
		}()
		<-seen
		time.AfterFunc(20*time.Millisecond, func() { release <- struct{}{} })
		index, err := c.read(within(t, 10*time.Second))
		require.ErrorIs(t, err, c.want, c.name)
		require.GreaterOrEqual(t, index, model.IndexOf(<-written), c.name)
	}
}

// For a moment a row is in the database and not yet published. A reader that meets it must wait for
// it, and not take it for damage.
func TestRowAheadOfTheIndexIsAwaited(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	added := n.mustAdd(t, "a", "1").Record
	ahead := added.Revision + model.CommandsPerEntryMax
	n.exec(t, "UPDATE versions SET version_no = '2', revision = ? WHERE id = 'a'", ahead)
	n.redis.memory.Clear()
	read := make(chan model.Result, 1)
	ctx := within(t, 10*time.Second)
	go func() {
		result, _ := n.GetVersionByID(ctx, "a", model.ReadOptions{Level: model.LevelNone})
		read <- result
	}()
	require.Never(t, func() bool { return len(read) > 0 }, 50*time.Millisecond, 5*time.Millisecond)
	row := model.Version{ID: "a", VersionNo: "2", Platform: "linux", Revision: ahead}
	n.mysql.records.Load(&row)
	n.mustAdd(t, "b", "1") // moves the applied index, as the publishing of the row does
	require.Equal(t, model.VersionDB{ID: "a", VersionNo: "2", Platform: "linux", Revision: ahead}, (<-read).Record)
}

// Somebody's UPDATE by hand must not become what the cluster says; a node that cannot tell the truth
// must say so rather than anything else, and above all not that the record is gone.
func TestRowsChangedByHandAreNotServed(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	for _, id := range []string{"changed", "deleted", "untouched"} {
		n.mustAdd(t, id, "1")
	}
	n.exec(t, "UPDATE versions SET version_no = 'forged', revision = revision + 1 WHERE id = 'changed'")
	n.exec(t, "DELETE FROM versions WHERE id = 'deleted'")
	n.redis.memory.Clear()
	var wg sync.WaitGroup
	for _, id := range []string{"changed", "deleted"} {
		ctx := within(t, 10*time.Second)
		wg.Go(func() {
			result, err := n.GetVersionByID(ctx, id, model.ReadOptions{Level: model.LevelLinearizable})
			if err == nil && result.Record.VersionNo != "1" || errors.Is(err, model.ErrNotFound) || errors.Is(err, model.ErrStoreUnavailable) && !strings.Contains(err.Error(), "does not hold what this node stored") {
				t.Errorf("%s: %+v %v", id, result, err)
			}
		})
	}
	wg.Wait()
	n.mustBeReady(t)
	for _, id := range []string{"changed", "deleted", "untouched"} {
		require.Equal(t, "1", n.mustGet(t, id).VersionNo, "what a read met is mended before the next reload")
	}
	updated, err := n.UpdateVersion(t.Context(), record("changed", "2"), model.WriteOptions{})
	require.NoError(t, err)
	require.Equal(t, updated.Record, n.mustGet(t, "changed"))
}

// A node that is in no cluster has nothing to tell; 404 would be a lie.
func TestWaitingNodeServesNothing(t *testing.T) {
	n := nodeOptions{}.mustOpen(t)
	_, err := n.GetVersionByID(within(t, time.Second), "a", model.ReadOptions{Level: model.LevelNone})
	require.ErrorIs(t, err, model.ErrNotCaughtUp)
	for _, level := range []model.Level{model.LevelLeader, model.LevelLinearizable} {
		_, err := n.GetVersionByID(within(t, 50*time.Millisecond), "a", model.ReadOptions{Level: level})
		requireNoLeader(t, err)
	}
	_, err = n.AddVersion(within(t, 50*time.Millisecond), record("a", "1"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrNoLeader)
}

// requireNoLeader accepts both ways to say that a read waited for a leader in vain: it depends on
// where the read's time ends.
func requireNoLeader(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, model.ErrNoLeader) {
		require.ErrorIs(t, err, model.ErrTimeout)
	}
}

// A database that does not answer is told as such, and what MemoryDB holds is still served.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	cached := n.mustAdd(t, "cached", "1").Record
	n.mustAdd(t, "not-cached", "1")
	n.redis.memory.Delete("not-cached")
	require.NoError(t, db.Close(n.store.DB))
	for _, level := range levels {
		read, err := n.GetVersionByID(within(t, 5*time.Second), "cached", model.ReadOptions{Level: level})
		require.NoError(t, err, level)
		require.Equal(t, cached, read.Record)
		_, err = n.GetVersionByID(within(t, 5*time.Second), "not-cached", model.ReadOptions{Level: level})
		require.ErrorIs(t, err, model.ErrStoreUnavailable, level)
		_, _, err = n.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 1}, model.ReadOptions{Level: level})
		require.ErrorIs(t, err, model.ErrStoreUnavailable, level)
	}
	require.Equal(t, []string{"store"}, failing(n.Readiness(t.Context())))
	_, err := n.AddVersion(within(t, 300*time.Millisecond), record("b", "1"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrOutcomeUnknown, "it is in the log and will be applied when the store is back")
	eventually(t, n.node.Stuck)
	_, err = n.AddVersion(within(t, 300*time.Millisecond), record("c", "1"), model.WriteOptions{})
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
	require.NotErrorIs(t, err, model.ErrOutcomeUnknown)
}

// A database that was killed may come back without its last commits. Until the log has made up for them
// nothing of it may be shown, and a node on which nothing is written has to notice. If this fails, a list
// lacks records that were acknowledged.
func TestStoreThatWentBack(t *testing.T) {
	t.Parallel()
	n := nodeOptions{}.mustLead(t)
	n.mustAdd(t, "kept", "1")
	before, err := n.store.State(t.Context())
	require.NoError(t, err)
	n.mustAdd(t, "lost", "1")
	for _, level := range levels {
		n.loseSince(t, before)
		page, _, err := n.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 10}, model.ReadOptions{Level: level})
		if err == nil {
			require.Len(t, page.Items, 2, "at %s", level)
		}
		eventually(t, func() bool {
			page, _, err := n.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 10}, model.ReadOptions{Level: level})
			return err == nil && len(page.Items) == 2
		})
	}
	n.loseSince(t, before)
	n.redis.memory.Clear()
	eventually(t, func() bool { _, err := n.store.Get(t.Context(), "lost"); return err == nil })
}

// A follower whose store hangs asks the leader, also for reads that have begun. If this fails, clients
// of a node whose database is down get errors, though two others could answer.
func TestReadsOfAFollowerWhoseStoreIsDown(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	leader, follower := nodes[0], nodes[1]
	leader.mustAdd(t, "a", "1")
	leader.mustAdd(t, "b", "1")
	eventually(t, func() bool { return follower.AppliedIndex() >= leader.AppliedIndex() })
	require.NoError(t, db.Close(follower.store.DB))
	added := leader.mustAdd(t, "c", "1") // which the follower cannot apply
	for _, level := range []model.Level{model.LevelLeader, model.LevelLinearizable} {
		for _, id := range []string{"a", "b", "c"} {
			_, err := follower.GetVersionByID(within(t, 5*time.Second), id, model.ReadOptions{Level: level, MinIndex: added.Index})
			require.NoError(t, err, "%s at %s", id, level)
		}
		page, _, err := follower.ListVersions(within(t, 5*time.Second), model.ListOptions{Limit: 10}, model.ReadOptions{Level: level})
		require.NoError(t, err)
		require.Len(t, page.Items, 3)
	}
	require.Equal(t, []model.ChangeOp{model.ChangeCreate}, follower.mustHistory(t, "c"))
}

// A follower that is seconds behind after an import, and catches up, has the leader answer reads. If this fails, lists time out
// there. What no leader can do in its place, such as to be watched, has to wait for its own store for as long as it may.
func TestOnlyWhatTheLeaderCanDoIsPassedOn(t *testing.T) {
	t.Parallel()
	follower := mustCluster(t, 3)[1]
	later := follower.AppliedIndex() + 100
	require.ErrorIs(t, follower.reads.awaitApplied(within(t, serviceTimeout), later, later, followMost), errPassToLeader)
	require.ErrorIs(t, follower.reads.awaitApplied(within(t, followMost+3*followInterval), later, later, asLongAsAsked), model.ErrTimeout)
}
