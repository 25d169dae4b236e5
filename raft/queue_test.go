package raft

import (
	"context"
	"errors"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/fakestore"
)

func pushed(q *queue, index uint64, bytes int, h *handle) {
	q.push(entry{position: model.Position{Index: index, Term: 1}, data: make([]byte, bytes), handle: h})
}

// A store that is down for long must not fill the memory: what nobody waits for is left to the log,
// and what somebody waits for is kept, or its proposer would never hear.
func TestQueueIsBounded(t *testing.T) {
	q := newQueue()
	for index := uint64(1); index <= 40; index++ {
		pushed(q, index, 1<<20, nil)
	}
	require.LessOrEqual(t, q.bytes, queueBytesMax)
	require.Equal(t, uint64(40), q.marked().handed)
	pushed(q, 41, 1<<20, newHandle())
	first, ok := q.firstAfter(40)
	require.True(t, ok)
	require.Equal(t, uint64(41), first)
}

// One transaction must not skip an entry, and must not grow without bound.
func TestTakeGivesARunWithoutGaps(t *testing.T) {
	q := newQueue()
	for _, index := range []uint64{3, 4, 5, 7} {
		pushed(q, index, 10, nil)
	}
	require.Empty(t, q.take(1, 10, 1000), "entry 2 is missing")
	require.Len(t, q.take(2, 10, 1000), 3)
	require.Len(t, q.take(2, 2, 1000), 2)
	require.Len(t, q.take(2, 10, 15), 1)
	require.Len(t, q.take(2, 10, 5), 1, "one entry always goes")
	require.Len(t, q.take(6, 10, 1000), 1)
}

// A snapshot must be of exactly its index: nothing later may be applied before its view is open.
func TestWaitingViewHoldsTheApplierBack(t *testing.T) {
	q := newQueue()
	pushed(q, 1, 1, nil)
	pushed(q, 2, 1, nil)
	request := q.requestView()
	pushed(q, 3, 1, nil)
	require.Len(t, q.take(0, 10, 100), 2)
	require.Nil(t, q.dueView(1))
	require.Empty(t, q.take(2, 10, 100))
	require.Same(t, request, q.dueView(2))
	require.Len(t, q.take(2, 10, 100), 1)
}

// A snapshot that gave up must not hold the applier back for ever, and its late view must be closed.
func TestGivenUpViewLetsTheApplierGo(t *testing.T) {
	q := newQueue()
	pushed(q, 1, 1, nil)
	request := q.requestView()
	pushed(q, 2, 1, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := request.wait(ctx)
	require.ErrorIs(t, err, errViewLate)
	require.Len(t, q.take(0, 10, 100), 2)
	store := fakestore.New()
	store.State = &model.StoreState{}
	view, err := fakestore.NewService(store).OpenViewInternal(ctx)
	require.NoError(t, err)
	request.settle(view, nil)
	require.Zero(t, store.ViewsOpen)
}

// An entry that a snapshot covers may or may not be in it: its proposer must not be told either.
func TestPassedHandleIsOfUnknownOutcome(t *testing.T) {
	q := newQueue()
	h := newHandle()
	pushed(q, 1, 1, h)
	q.take(5, 10, 100)
	require.ErrorIs(t, (<-h.done).err, model.ErrOutcomeUnknown)
}

// Only what cannot have reached any log may be tried again; everything else might be done twice.
func TestProposalErrors(t *testing.T) {
	for err, want := range map[error]error{
		raft.ErrNotLeader:                    model.ErrNotLeader,
		raft.ErrLeadershipTransferInProgress: model.ErrNotLeader,
		raft.ErrEnqueueTimeout:               model.ErrNotLeader,
		raft.ErrLeadershipLost:               model.ErrOutcomeUnknown,
		raft.ErrRaftShutdown:                 model.ErrOutcomeUnknown,
		raft.ErrAbortedByRestore:             model.ErrOutcomeUnknown,
		fakestore.ErrFake:                    model.ErrOutcomeUnknown,
	} {
		require.ErrorIs(t, proposalError(err), want, err.Error())
	}
}

// A transfer that nobody takes is no fault of ours, and a change that may come must not pass for one that will not.
func TestMemberErrors(t *testing.T) {
	for err, want := range map[error]error{
		raft.ErrNotLeader:            model.ErrNotLeader,
		raft.ErrEnqueueTimeout:       model.ErrNotLeader,
		raft.ErrLeadershipLost:       model.ErrOutcomeUnknown,
		raft.ErrRaftShutdown:         model.ErrOutcomeUnknown,
		raft.ErrNothingNewToSnapshot: nil,
	} {
		if want != nil {
			require.ErrorIs(t, changeError(err, errMembers), want, err.Error())
			require.ErrorIs(t, changeError(err, model.ErrNoSuccessor), want, err.Error())
			continue
		}
		require.ErrorIs(t, changeError(err, errMembers), err)
		require.ErrorIs(t, changeError(err, model.ErrNoSuccessor), model.ErrNoSuccessor)
	}
	require.NoError(t, errors.Join(changeError(nil, errMembers), changeError(nil, model.ErrNoSuccessor)))
}

// Hashicorp/raft calls ApplyBatch; Apply is the same for one entry. The handle must be there before the
// applier can resolve it, and only where somebody waits: a follower that catches up has nobody.
func TestApplyGivesAHandleWhereSomebodyWaits(t *testing.T) {
	fsm := newTestFSM(fakestore.NewService(fakestore.New()))
	h, ok := fsm.Apply(&raft.Log{Index: 1, Term: 1, Type: raft.LogCommand, Data: []byte{1}}).(*handle)
	require.True(t, ok)
	require.Nil(t, h)
	fsm.proposals.Add(1)
	h, ok = fsm.Apply(&raft.Log{Index: 2, Term: 1, Type: raft.LogCommand, Data: []byte{1}}).(*handle)
	require.True(t, ok)
	require.NotNil(t, h)
	require.Same(t, h, fsm.queue.take(1, 10, 100)[0].handle)
}

// A store may be held up for hours, and somebody ask for backups meanwhile again and again.
func TestRequestsForViewsOfWhoHasLeftAreNotKept(t *testing.T) {
	q := newQueue()
	ended, end := context.WithCancel(t.Context())
	end()
	waits := q.requestAnyView()
	for range 1000 {
		_, err := q.requestAnyView().wait(ended)
		require.ErrorIs(t, err, errViewLate)
	}
	require.LessOrEqual(t, len(q.views), 2)
	require.Same(t, waits, q.takeView(), "whoever still waits has its turn")
}
