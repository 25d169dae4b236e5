// Package readindex finds out on a leader which index a linearizable read must reflect, and proves that it still leads.
package readindex

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"versiond/group"
	"versiond/model"
)

const (
	// roundTimeout bounds one quorum round; a round that fails tells its readers to look for the leader anew.
	roundTimeout = 2 * time.Second
	// hedgeAfter is how long the voters that were asked first may take before the others are asked too.
	hedgeAfter = 10 * time.Millisecond
	// termPollInterval paces the wait of a new leader for the first entry of its term.
	termPollInterval = 2 * time.Millisecond
)

// PeerTerms asks other nodes for their Raft term.
type PeerTerms interface {
	// Term returns the current term of node id at address. It must be an answer to this very call.
	Term(ctx context.Context, id, address string) (uint64, error)
}

// Raft is what an Indexer asks of its node's.
type Raft interface {
	State() raft.RaftState
	CurrentTerm() uint64
	CommitIndex() uint64
	GetConfiguration() raft.ConfigurationFuture
}

// Config is what an Indexer knows of its node.
type Config struct {
	Node  string
	Raft  Raft
	Log   raft.LogStore
	Peers PeerTerms
	// MayLead reports whether the node's disk lets it lead.
	MayLead func() bool
	Observe group.RoundObserver
}

// Indexer confirms leadership for linearizable reads, one quorum round for all that wait.
//
// It does not use hashicorp's VerifyLeader, which counts non-voters and takes answers that were sent
// before the read came in, after a pause of the process for instance. Here the voters are asked for
// their current term: a quorum that, after the read arrived, still is in this leader's term has not
// elected another leader before it arrived, so the commit index noted at the beginning of the round
// covers everything that was committed by then.
type Indexer struct {
	cfg    Config
	ctx    context.Context // ends with the node
	rounds *group.Rounds[uint64]
	// openTerm is a term of which an entry is known to be committed.
	openTerm atomic.Uint64
	// prompt is a voter that confirmed the last round: it is the first one to be asked in the next.
	prompt atomic.Pointer[raft.ServerID]
}

// New returns an Indexer whose questions end with ctx.
func New(ctx context.Context, cfg Config) *Indexer {
	x := &Indexer{cfg: cfg, ctx: ctx}
	x.rounds = group.NewRounds(ctx, roundTimeout, x.confirm, cfg.Observe)
	return x
}

// IndexFor returns an index that covers everything committed before the call, for a voter that says which term it is
// in, or for this node. Where the voter's word and this node's make a quorum nobody else is asked: that the voter is in
// this leader's term after its reads arrived is what a round would ask it for.
func (x *Indexer) IndexFor(ctx context.Context, ack model.TermAck) (uint64, error) {
	term := x.cfg.Raft.CurrentTerm()
	if ack.Term == term && x.completesQuorum(ack.Node) && x.isOpen(term) {
		index := x.cfg.Raft.CommitIndex()
		return index, x.leads(term) // last, because a term never comes back
	}
	index, err := x.rounds.Do(ctx)
	if err != nil && ctx.Err() != nil {
		return 0, errors.Join(model.ErrTimeout, err)
	}
	return index, err
}

func (x *Indexer) completesQuorum(id string) bool {
	others, needed, err := x.voters()
	return err == nil && needed <= 1 && slices.ContainsFunc(others, func(s raft.Server) bool { return string(s.ID) == id })
}

// confirm runs one round.
func (x *Indexer) confirm(ctx context.Context) (uint64, error) {
	term := x.cfg.Raft.CurrentTerm()
	if err := x.AwaitOpenTerm(ctx, term); err != nil {
		return 0, err
	}
	index := x.cfg.Raft.CommitIndex()
	if err := x.askVoters(ctx, term); err != nil {
		return 0, err
	}
	return index, x.leads(term)
}

// leads fails unless this node is the leader of exactly this term.
func (x *Indexer) leads(term uint64) error {
	if x.cfg.Raft.State() != raft.Leader || x.cfg.Raft.CurrentTerm() != term || !x.cfg.MayLead() {
		return model.ErrNotLeader
	}
	return nil
}

// AwaitOpenTerm waits until an entry of the leader's own term is committed: before that its commit
// index may lag behind what earlier leaders committed (Raft paper, section 8).
func (x *Indexer) AwaitOpenTerm(ctx context.Context, term uint64) error {
	ticker := time.NewTicker(termPollInterval)
	defer ticker.Stop()
	for {
		if err := x.leads(term); err != nil {
			return err
		}
		if x.isOpen(term) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: no entry of term %d is committed yet", model.ErrNotLeader, term)
		}
	}
}

func (x *Indexer) isOpen(term uint64) bool {
	if x.openTerm.Load() == term {
		return true
	}
	var entry raft.Log
	if x.cfg.Log.GetLog(x.cfg.Raft.CommitIndex(), &entry) != nil || entry.Term != term {
		return false
	}
	x.openTerm.Store(term)
	return true
}

// askVoters returns nil once a quorum of the voters, this one among them, is in the term. It asks as many
// as it needs, and the others when one of those says something else or is slow. Questions that are
// still open then end by themselves: to break one off would cost its connection.
func (x *Indexer) askVoters(ctx context.Context, term uint64) error {
	others, needed, err := x.voters()
	if err != nil || needed <= 0 {
		return err
	}
	x.promptFirst(others)
	answers := make(chan bool, len(others))
	asked := 0
	askUntil := func(n int) {
		for ; asked < min(n, len(others)); asked++ {
			go func(s raft.Server) { answers <- x.isIn(s, term) }(others[asked])
		}
	}
	askUntil(needed)
	hedge := time.NewTimer(hedgeAfter)
	defer hedge.Stop()
	for answered := 0; answered < asked; {
		select {
		case confirmed := <-answers:
			if answered++; !confirmed {
				askUntil(len(others))
			} else if needed--; needed == 0 {
				return nil
			}
		case <-hedge.C:
			askUntil(len(others))
		case <-ctx.Done():
			return fmt.Errorf("%w: a quorum did not confirm it in time", model.ErrNotLeader)
		}
	}
	return fmt.Errorf("%w: a quorum did not confirm it", model.ErrNotLeader)
}

// isIn reports whether a voter says that it is in the term.
func (x *Indexer) isIn(s raft.Server, term uint64) bool {
	ctx, cancel := context.WithTimeout(x.ctx, roundTimeout)
	defer cancel()
	theirs, err := x.cfg.Peers.Term(ctx, string(s.ID), string(s.Address))
	confirmed := err == nil && theirs == term
	if confirmed {
		x.prompt.Store(&s.ID)
	}
	return confirmed
}

func (x *Indexer) promptFirst(others []raft.Server) {
	prompt := x.prompt.Load()
	i := slices.IndexFunc(others, func(s raft.Server) bool { return prompt != nil && s.ID == *prompt })
	if i > 0 {
		others[0], others[i] = others[i], others[0]
	}
}

// voters returns the other voters and how many of them make a quorum together with this node.
func (x *Indexer) voters() (others []raft.Server, needed int, err error) {
	future := x.cfg.Raft.GetConfiguration()
	if err := future.Error(); err != nil {
		return nil, 0, fmt.Errorf("read the members: %w", err)
	}
	voters, self := 0, 0
	for _, s := range future.Configuration().Servers {
		switch {
		case s.Suffrage != raft.Voter:
		case string(s.ID) == x.cfg.Node:
			voters, self = voters+1, 1
		default:
			voters++
			others = append(others, s)
		}
	}
	return others, voters/2 + 1 - self, nil
}
