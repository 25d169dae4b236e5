package cluster

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/peer"
	"versiond/raft/datadir"
)

const (
	findInterval = 200 * time.Millisecond
	// The lines that say for whom a node waits come less and less often.
	waitingLogMin = 5 * time.Second
	waitingLogMax = 10 * time.Minute
	joinTimeout   = 10 * time.Second
)

// finder brings a node into its cluster.
type finder struct {
	*others
	// founders is how many nodes were there when this one began the cluster; 0 on every other node,
	// and once a majority of them has a vote.
	founders atomic.Int64
	// last is what was last answered at each address by a node that knew whether it holds a cluster. One that is silent since
	// may be stopped for versiond recover.
	last map[string]peer.Status
}

// findCluster brings a node without Raft state into a cluster: the first listed node begins one when
// nobody knows of any, the others ask to be let in. A node that was a member stays with what it has.
func (f *finder) findCluster(ctx context.Context) error {
	pace := waitingLogMin
	var logged time.Time
	for range group.Every(ctx, findInterval) {
		if f.Node.Running() {
			break
		}
		waitsFor, err := f.once(ctx)
		if err != nil {
			return err
		}
		if waitsFor != "" && time.Since(logged) > pace {
			f.Log.Info("waiting to be taken into a cluster", "for", waitsFor)
			if !logged.IsZero() {
				pace = min(2*pace, waitingLogMax)
			}
			logged = time.Now()
		}
	}
	return nil
}

// once tries once, and otherwise says in words for whom or what the node waits.
func (f *finder) once(ctx context.Context) (waitsFor string, err error) {
	answers, silent := f.askAround(ctx)
	if member, ok := memberAmong(answers); ok {
		return f.askToJoin(ctx, member), nil
	}
	if !f.beginsClusters() {
		return f.waitsFor(answers, silent), nil
	}
	held, err := f.HeldCluster(ctx)
	if err != nil {
		return "its database: " + err.Error(), nil
	}
	if held != "" {
		return "a member of cluster " + held + ", which this node's database belongs to; no new cluster is begun over it", nil
	}
	blank := 1 + countBlank(f.ofListed(answers))
	if blank < len(f.Listed)/2+1 {
		return f.waitsFor(answers, silent), nil
	}
	if held := f.heldElsewhere(); held != "" {
		return held, nil
	}
	return "", f.begin(blank)
}

// beginsClusters reports whether this node is the one that may begin a cluster: the first that is listed.
func (f *finder) beginsClusters() bool {
	return len(f.Listed) > 0 && f.Listed[0].ID == f.id()
}

func (f *finder) begin(blank int) error {
	cluster := rand.Text()
	f.founders.Store(int64(blank))
	f.Log.Info("beginning a new cluster", "cluster", cluster)
	err := f.Node.Bootstrap(cluster)
	if errors.Is(err, model.ErrWrongNode) { // another cluster has just taken it in
		f.founders.Store(0)
		return nil
	}
	if err != nil {
		return fmt.Errorf("begin a new cluster: %w", err)
	}
	return nil
}

// answered is what the node at an address said.
type answered struct {
	peer.Status
	address string
}

// askAround asks everybody whom this node could belong with, and lists who did not answer. Each node counts
// once, however many addresses lead to it, and this one not at all: it would make a majority with itself.
func (f *finder) askAround(ctx context.Context) (answers []answered, silent []string) {
	addresses := f.othersAddresses()
	seen := map[string]bool{}
	for i, status := range f.askAll(ctx, addresses) {
		if status != nil && status.Node != f.id() && (status.Cluster != "" || !status.StoreSilent) {
			f.last[addresses[i]] = *status
		}
		switch {
		case status == nil:
			silent = append(silent, addresses[i])
		case status.Node == f.id():
			f.noteOwnAddress(addresses[i])
		case !seen[status.Node]:
			seen[status.Node] = true
			answers = append(answers, answered{Status: *status, address: addresses[i]})
		}
	}
	return answers, silent
}

// noteOwnAddress warns that an address in --join is of no use. A listed node may have it from settings that
// are the same for all, and has others to ask.
func (f *finder) noteOwnAddress(address string) {
	if !f.isListed() {
		f.calm.Warn("an address in --join leads back to this node; name members there", "address", address)
	}
}

func memberAmong(answers []answered) (answered, bool) {
	for _, a := range answers {
		if a.Running && a.LeaderID != "" {
			return a, true
		}
	}
	return answered{}, false
}

// countBlank counts the nodes that know of no cluster at all.
func countBlank(answers []answered) int {
	n := 0
	for _, a := range answers {
		if !a.Running && a.Cluster == "" && a.StoreCluster == "" && !a.StoreSilent {
			n++
		}
	}
	return n
}

// ofListed returns what listed nodes said. Others, whom --join names, make no majority with this one: a majority of the
// listed nodes may have the records and be down.
func (f *finder) ofListed(answers []answered) (of []answered) {
	for _, a := range answers {
		if _, listed := f.listed(a.Node); listed {
			of = append(of, a)
		}
	}
	return of
}

// heldElsewhere returns, in words, who said last that it holds a cluster without a leader, "" when nobody did. It may be the
// only one that has the records: others that are blank, however many, must not begin an empty cluster beside it.
func (f *finder) heldElsewhere() string {
	for _, address := range f.othersAddresses() {
		last := f.last[address]
		if held := cmp.Or(last.Cluster, last.StoreCluster); held != "" {
			return fmt.Sprintf("a leader of cluster %s, of which %s at %s has data; no new cluster is begun beside it. When most of its nodes are lost for good: versiond recover --help. When that data is not needed: empty that node, or start this one again without it", held, last.Node, address)
		}
	}
	return ""
}

// askToJoin asks a member to take this node in; the leader then calls back with the admission.
func (f *finder) askToJoin(ctx context.Context, member answered) (waitsFor string) {
	if !f.isListed() && len(f.Join) == 0 {
		return f.somebodyToJoinIt()
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if _, err := f.Peers.Join(ctx, member.address, f.id(), f.Node.Address(), true); err != nil {
		return fmt.Sprintf("%s at %s to take it in: %v", member.Node, member.address, err)
	}
	return ""
}

func (f *finder) isListed() bool {
	_, listed := f.listed(f.id())
	return listed
}

func (f *finder) somebodyToJoinIt() string {
	return "somebody to call /join/" + f.id() + "/" + f.Node.Address() + " on a member (or give this node --join)"
}

func (f *finder) waitsFor(answers []answered, silent []string) string {
	switch {
	case len(f.othersAddresses()) == 0:
		return f.somebodyToJoinIt()
	case len(silent) > 0 && errors.Is(f.Node.Distrust(), model.ErrTLSFailed):
		return "certificates that it and the others take, of whom do not answer " + f.names(silent)
	case len(silent) > 0 && f.Node.Distrust() != nil:
		return "the cluster.secret that the others have, of whom do not answer " + f.names(silent)
	case len(silent) > 0:
		return "an answer from " + f.names(silent)
	case countBlank(answers) < len(answers):
		return "the others to elect a leader"
	case len(f.Listed) > 0 && !f.beginsClusters():
		return f.names([]string{f.Listed[0].Address}) + " to begin a cluster"
	}
	return f.names(f.othersAddresses()) + " to be members of a cluster"
}

// Admit takes the leader's word that the cluster has this node, and starts Raft. It is safe to repeat.
// A database of another cluster, or of another node, is refused before anything is touched.
func (f *finder) Admit(ctx context.Context, admission peer.Admission) error {
	membership := datadir.Membership{Cluster: admission.Cluster, Former: admission.Former, Replica: admission.Replica}
	if f.Node.Running() {
		return f.Node.Admit(membership)
	}
	if admission.Cluster == "" {
		return model.Invalid("cluster", "is required")
	}
	if held, err := f.HeldCluster(ctx); err == nil && held != "" && held != admission.Cluster && !slices.Contains(admission.Former, held) {
		return fmt.Errorf("%w: the database of node %s belongs to cluster %s; give it another one, or drop it if the records there are not needed", model.ErrWrongNode, f.id(), held)
	}
	f.Log.Info("taken into a cluster", "cluster", admission.Cluster)
	return f.Node.Admit(membership)
}

// CheckVoters keeps a new cluster from looking ready while one machine could still take it all away, and a node
// that has just been let in while it does not count yet: whoever goes on to the next one could lose the quorum.
func (f *finder) CheckVoters() error {
	if self, member := f.find(f.id()); member && !self.Voter && !f.Node.Replica() {
		return errors.New("this node has no vote yet; the leader gives it one when it has kept up for a moment")
	}
	founders := int(f.founders.Load())
	have, needed := Voters(f.Node.Members()), founders/2+1
	if founders == 0 || have >= needed {
		f.founders.Store(0)
		return nil
	}
	return fmt.Errorf("%d of the %d nodes that were there at the beginning have a vote, %d must", have, founders, needed)
}
