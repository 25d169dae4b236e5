package raft

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func handedAt(index uint64, at time.Time) entry {
	return entry{position: model.Position{Index: index, Term: 1}, data: []byte{1}, handed: at}
}

// An operator who sees no lag while entries wait looks for the fault in the wrong place.
func TestLagIsThatOfTheOldestEntryThatWaits(t *testing.T) {
	began := time.Now()
	q := newQueue()
	require.Zero(t, q.waitingSince(0), "nothing was handed over yet")
	q.push(handedAt(5, began))
	q.push(handedAt(6, began.Add(time.Second)))
	require.Equal(t, began, q.waitingSince(4))
	require.Equal(t, began.Add(time.Second), q.waitingSince(5), "the first is applied, the queue has not let it go yet")
	require.Zero(t, q.waitingSince(6))
}

// Entries that the queue left to the log wait no less than those that it keeps.
func TestLagCoversWhatIsLeftToTheLog(t *testing.T) {
	began := time.Now()
	q := newQueue()
	q.push(handedAt(1, began))
	left := handedAt(2, began.Add(time.Second))
	left.data = make([]byte, queueBytesMax)
	q.push(left)
	q.push(handedAt(3, began.Add(2*time.Second)))
	require.Equal(t, began, q.waitingSince(0))
	require.Equal(t, began.Add(time.Second), q.waitingSince(1))
	require.Equal(t, began.Add(2*time.Second), q.waitingSince(2))
	q.take(3, applyEntriesMax, applyBytesMax)
	q.push(handedAt(4, began.Add(3*time.Second)))
	require.Equal(t, began.Add(3*time.Second), q.waitingSince(3), "the entries that were left are made up for")
}
