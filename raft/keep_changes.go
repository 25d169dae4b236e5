package raft

import (
	"context"
	"fmt"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/raftlog"
	"versiond/wire"
)

// KeepChanges has the log say that changes are kept from here on, unless it does already, and returns once this node has
// applied that. No member may be of a release that does not read it: it would stop there. Leader only. Errors:
// model.ErrNotLeader and ErrNotCaughtUp, after which nothing was proposed, and model.ErrOutcomeUnknown.
func (n *Node) KeepChanges(ctx context.Context) error {
	running := n.current()
	if running == nil || !running.leads() {
		return model.ErrNotLeader
	}
	if said, err := n.LogKeepsChanges(ctx); said || err != nil {
		return err
	}
	_, err := running.proposer.proposeEntry(ctx, wire.KeepChanges(), func() {})
	return err
}

// LogKeepsChanges reports whether the log of this node, up to its end, says that changes are kept. It waits until that is applied.
func (n *Node) LogKeepsChanges(ctx context.Context) (bool, error) {
	if n.KeepsChanges() {
		return true, nil
	}
	if err := n.WaitApplied(ctx, n.LastIndex()); err != nil {
		return false, fmt.Errorf("%w (%v)", model.ErrNotCaughtUp, err) // %v: nothing was asked for whose outcome could be open
	}
	return n.KeepsChanges(), nil
}

// bootstrapLog begins the log of a new cluster: with its only member, and, since that one knows it, with the entry from which
// on changes are kept, so that no write comes before it. Where that is not written any more, the leader proposes it.
func bootstrapLog(conf *raft.Config, stores *raftlog.Stores, transport raft.Transport, members raft.Configuration) error {
	if err := raft.BootstrapCluster(conf, stores.Log, stores.Stable, stores.Snapshots, transport, members); err != nil {
		return err
	}
	return stores.Log.StoreLog(&raft.Log{Index: 2, Term: 1, Type: raft.LogCommand, Data: wire.KeepChanges()})
}
