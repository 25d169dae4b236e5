package integrity

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

const (
	// auditInterval is how soon a node on which nothing is written notices that its database is not
	// what it left: one that lost its last commits in a crash, was put back from a copy, or has other tables. A node
	// with writes notices at the next one. What became of the rows, the reload finds.
	auditInterval = 2 * time.Second
	// auditTimeout bounds the question for the state row and the tables.
	auditTimeout = time.Second
	// suspicionPause is how long no read can have all rows read again: one that was unlucky finds nothing wrong, and it
	// costs as much as a reload.
	suspicionPause = 30 * time.Second
	// agreementInterval paces the questions of a node that waits to agree with a majority again.
	agreementInterval = time.Second
	servingRetry      = 20 * time.Millisecond
)

// Guard looks at the store from time to time, compares it with those of other members, and has it built anew when it is
// wrong. All fields must be set.
type Guard struct {
	*Trust
	Node *raft.Node
	// State reads the state row, and looks at the tables.
	State func(context.Context) (model.StoreState, error)
	// ReadRows reads every row, through a view that verifies them.
	ReadRows func(context.Context) error
	// Ask asks members how they do; for those that do not answer it returns nil.
	Ask func(context.Context, []raft.Member) []*peer.Status
	// LeadElsewhere hands leadership over, if this node leads and a voter is there that can take it.
	LeadElsewhere func(context.Context)
	Log           *slog.Logger
}

// Run guards the store until the context ends.
func (g *Guard) Run(ctx context.Context) {
	var audits sync.WaitGroup
	audits.Go(func() { g.audit(ctx) })
	for ctx.Err() == nil {
		select {
		case <-g.quarantined:
			g.repair(ctx)
		case <-ctx.Done():
		}
	}
	audits.Wait()
}

// Serving reports whether the store may be read: it is known to be ours, to be as far as the applied index
// says, and nothing speaks against what it holds.
func (g *Guard) Serving() bool { return g.divergence.Load() == nil && g.Node.Serving() }

// repair builds the store anew. Reads and writes go on elsewhere meanwhile.
func (g *Guard) repair(ctx context.Context) {
	g.LeadElsewhere(ctx)
	if err := g.Node.RebuildStore(ctx); err != nil {
		return // the node ends, and says why
	}
	if g.divergence.Load().foundBy == foundByPeers {
		g.awaitAgreement(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	g.divergence.Store(nil)
	g.tellServing(ctx)
}

// tellServing waits until the log is applied, and says so, unless the store is found wrong again before that.
func (g *Guard) tellServing(ctx context.Context) {
	for !g.Node.Serving() {
		if g.Err() != nil || !group.Pause(ctx, servingRetry) {
			return
		}
	}
	g.Log.Info("the store was built anew from the snapshot and the log, and serves")
}

// audit looks at the state row and the tables from time to time. It is no part of the applier, which must not be
// held up by a store for which it has nothing.
func (g *Guard) audit(ctx context.Context) {
	ticker := time.NewTicker(auditInterval)
	defer ticker.Stop()
	var next time.Time // when a suspicion counts again
	for {
		select {
		case <-ticker.C:
			g.CheckForm(ctx)
		case <-g.suspected:
			if !time.Now().Before(next) {
				g.checkRows(ctx)
				next = time.Now().Add(suspicionPause)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (g *Guard) checkRows(ctx context.Context) {
	if !g.Serving() {
		return
	}
	if err := g.ReadRows(ctx); err != nil {
		g.Log.Debug("the rows cannot be read", "err", err)
	}
}

// CheckForm looks at the state row and the tables. It has a store that went back looked at by the applier, which may
// find that the log has what it lacks. What somebody else has made of them is not to be used at all.
func (g *Guard) CheckForm(ctx context.Context) {
	if !g.Serving() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, auditTimeout)
	defer cancel()
	gen, before := g.Gen(), g.Node.StoredIndex() // the applier may go on meanwhile, but never back
	found, err := g.State(ctx)
	g.foundInForm(gen, err)
	if err == nil && (found.Identity != g.Node.Identity() || found.Applied.Index < before) {
		g.Node.VerifyStore()
	}
}

// CompareWithMembers asks every member for its checksums. A node whose records a majority does not have
// stops serving them; where no majority says who is right, nobody does, and operators are told.
func (g *Guard) CompareWithMembers(ctx context.Context) {
	gen := g.Gen()
	found := g.agreement(ctx)
	own := found.Of(g.Node.Identity().Node)
	if own.Outvoted {
		g.quarantine(gen, foundByPeers, fmt.Errorf("%w: %s", model.ErrStoreDiffers, own.Detail))
	}
	if own.Detail == "" || own.Outvoted {
		g.conflict.Store(nil)
		return
	}
	if before := g.conflict.Swap(&own.Detail); before == nil {
		g.Log.Error("members have different records, and no majority says whose are right; compare them with level=none lists; on the node that is wrong: "+model.RejoinAdvice, "detail", own.Detail)
	}
}

func (g *Guard) agreement(ctx context.Context) Agreement {
	members := g.Node.Members()
	return Compare(g.Node.Identity().Cluster, members, g.Ask(ctx, members))
}

// awaitAgreement waits until a majority has the records that this node has now, after it built its store
// anew because a majority had others.
func (g *Guard) awaitAgreement(ctx context.Context) {
	id := g.Node.Identity().Node
	for told := false; group.Pause(ctx, agreementInterval); {
		found := g.agreement(ctx)
		if !g.Node.Serving() || found.sums[id] == "" {
			continue
		}
		own := found.Of(id)
		if own.Detail == "" && found.right != "" {
			return
		}
		if own.Outvoted && !told {
			g.Log.Error("a majority still has other records than this node makes of its own snapshot and log; "+model.RejoinAdvice, "detail", own.Detail)
			told = true
		}
	}
}
