// Package judge decides what a store is worth: it compares its state row with the data directory.
package judge

import (
	"errors"
	"fmt"
	"slices"

	"versiond/model"
	"versiond/raft/raftlog"
)

// Verdict is what a store is worth.
type Verdict int

// What a store may be.
const (
	Current Verdict = iota // it holds everything up to its index; the log goes on from there
	Behind                 // the log no longer goes back to its index: a snapshot must be loaded
	Empty                  // this node has made it, and nothing was applied yet
	Lost                   // it is not there, half restored, or of another history: build it anew
	Foreign                // it belongs to another node or cluster: keep off
)

// Case is a store and what it is held against.
type Case struct {
	// State is what could be read of the state row, and Cause why that was not all.
	State model.StoreState
	Cause error
	// Ours is whose the data directory is, Former the clusters that its cluster was recovered from.
	Ours    model.Identity
	Former  []string
	History raftlog.History
}

// Judge returns the verdict and its reason. An error, which may be Cause, means that there is none yet.
func (c Case) Judge() (Verdict, string, error) {
	if found, why := c.judgeCause(); found != Current {
		return found, why, nil
	}
	switch {
	case c.Cause != nil:
		return Current, "", c.Cause
	case c.State.Node == c.Ours.Node && slices.Contains(c.Former, c.State.Cluster):
		return Lost, "it is of cluster " + c.State.Cluster + ", which this one was recovered from", nil
	case c.State.Cluster != c.Ours.Cluster || c.State.Node != c.Ours.Node:
		return Foreign, "", nil
	case c.State.Store != c.Ours.Store:
		return Lost, "it belongs to another data directory of this node", nil
	case c.State.Restoring:
		return Lost, "loading a snapshot into it was broken off", nil
	case c.State.Applied.Index == 0:
		return Empty, "it is empty", nil
	}
	return c.position()
}

// judgeCause judges a store that no node has left like that, Current when nothing speaks against it. One that is somebody
// else's, by what is left of its state row, is kept off; a row of this node's own that was given another identity is
// not.
func (c Case) judgeCause() (Verdict, string) {
	stranger := c.State.Cluster != "" && c.State.Cluster != c.Ours.Cluster && !slices.Contains(c.Former, c.State.Cluster) ||
		c.State.Node != "" && c.State.Node != c.Ours.Node
	switch {
	case errors.Is(c.Cause, model.ErrNoState):
		return Lost, "it holds no state"
	case !errors.Is(c.Cause, model.ErrStoreDiffers):
		return Current, ""
	case stranger && !c.State.ProvenAs(c.Ours):
		return Foreign, ""
	}
	return Lost, c.Cause.Error()
}

func (c Case) position() (Verdict, string, error) {
	h, at := c.History, c.State.Applied
	term, known, err := h.TermAt(at.Index)
	switch {
	case err != nil:
		return Current, "", err
	case at.Index > h.Last:
		return Lost, fmt.Sprintf("it is at index %d and the Raft log ends at %d", at.Index, h.Last), nil
	case known && term != at.Term:
		return Lost, fmt.Sprintf("it has term %d at index %d and the Raft log %d", at.Term, at.Index, term), nil
	case !h.ContinuesAfter(at.Index):
		return Behind, fmt.Sprintf("it is at index %d and the Raft log begins at %d", at.Index, h.First), nil
	case h.Snapshot == nil || h.Snapshot.Index <= at.Index:
		return Current, "", nil
	}
	leads, err := h.LeadsToSnapshot(at.Index)
	if err != nil || leads {
		return Current, "", err
	}
	return Behind, fmt.Sprintf("it is at index %d, and what the Raft log holds behind that is not what the snapshot of index %d was made of", at.Index, h.Snapshot.Index), nil
}

// Owned reports whether what can be read of the state row is of this node.
func (c Case) Owned() bool {
	return c.State.ProvenAs(c.Ours) || c.State.Node == c.Ours.Node && (c.State.Cluster == c.Ours.Cluster || slices.Contains(c.Former, c.State.Cluster))
}
