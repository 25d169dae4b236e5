package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// findCluster brings a node without Raft state into a cluster: the first listed node begins one when
// nobody knows of any, the others ask to be let in. A node that was a member stays with what it has.
func (s *VersionService) findCluster(ctx context.Context) error {
	pace := waitingLogMin
	var logged time.Time
	for range group.Every(ctx, findInterval) {
		if s.node.Running() {
			break
		}
		waitsFor, err := s.findOnce(ctx)
		if err != nil {
			return err
		}
		if waitsFor != "" && time.Since(logged) > pace {
			s.log.Info("waiting to be taken into a cluster", "for", waitsFor)
			if !logged.IsZero() {
				pace = min(2*pace, waitingLogMax)
			}
			logged = time.Now()
		}
	}
	return nil
}

// findOnce tries once, and otherwise says in words for whom or what the node waits.
func (s *VersionService) findOnce(ctx context.Context) (waitsFor string, err error) {
	answers, silent := s.askAround(ctx)
	if member, ok := memberAmong(answers); ok {
		return s.askToJoin(ctx, member), nil
	}
	if !s.beginsClusters() {
		return s.waitsFor(answers, silent), nil
	}
	held, err := s.holdsCluster(ctx)
	if err != nil {
		return "its database: " + err.Error(), nil
	}
	if held != "" {
		return "a member of cluster " + held + ", which this node's database belongs to; no new cluster is begun over it", nil
	}
	blank := 1 + countBlank(answers)
	if blank < len(s.settings.Listed)/2+1 {
		return s.waitsFor(answers, silent), nil
	}
	return "", s.begin(blank)
}

// beginsClusters reports whether this node is the one that may begin a cluster: the first that is listed.
func (s *VersionService) beginsClusters() bool {
	return len(s.settings.Listed) > 0 && s.settings.Listed[0].ID == s.NodeID()
}

func (s *VersionService) begin(blank int) error {
	cluster := rand.Text()
	s.founders.Store(int64(blank))
	s.log.Info("beginning a new cluster", "cluster", cluster)
	err := s.node.Bootstrap(cluster)
	if errors.Is(err, model.ErrWrongNode) { // another cluster has just taken it in
		s.founders.Store(0)
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
func (s *VersionService) askAround(ctx context.Context) (answers []answered, silent []string) {
	addresses := s.othersAddresses()
	seen := map[string]bool{}
	for i, status := range s.askAll(ctx, addresses) {
		switch {
		case status == nil:
			silent = append(silent, addresses[i])
		case status.Node == s.NodeID():
			s.noteOwnAddress(addresses[i])
		case !seen[status.Node]:
			seen[status.Node] = true
			answers = append(answers, answered{Status: *status, address: addresses[i]})
		}
	}
	return answers, silent
}

// noteOwnAddress says that an address in --join is of no use. A listed node may have it from settings that
// are the same for all, and has others to ask.
func (s *VersionService) noteOwnAddress(address string) {
	if !s.listed(s.NodeID()) {
		s.calm.Warn("an address in --join leads back to this node; name members there", "address", address)
	}
}

func (s *VersionService) othersAddresses() []string {
	var addresses []string
	for _, n := range s.settings.Listed {
		if n.ID != s.NodeID() {
			addresses = append(addresses, n.Address)
		}
	}
	return append(addresses, s.settings.Join...)
}

// askAll asks every address at once; of those that do not answer it gives nil.
func (s *VersionService) askAll(ctx context.Context, addresses []string) []*peer.Status {
	answers := make([]*peer.Status, len(addresses))
	done := make(chan struct{})
	for i, address := range addresses {
		go func() {
			defer func() { done <- struct{}{} }()
			answers[i] = s.ask(ctx, address)
		}()
	}
	for range addresses {
		<-done
	}
	return answers
}

// ask returns nil when nobody answers at address. This node itself is not asked over the network, where
// it may not be able to reach its own address.
func (s *VersionService) ask(ctx context.Context, address string) *peer.Status {
	if address == s.node.Address() {
		status := s.Status(ctx)
		return &status
	}
	status, err := s.peers.Status(ctx, address)
	if err != nil {
		s.node.NoteSecret(err)
		s.warnOfPublicPort(err)
		return nil
	}
	return &status
}

func (s *VersionService) warnOfPublicPort(err error) {
	var public *peer.PublicPort
	if errors.As(err, &public) {
		s.calm.Warn("an address that should be a peer port's is not", "address", public.Address, "err", s.publicPort(public))
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

// askToJoin asks a member to take this node in; the leader then calls back with the admission.
func (s *VersionService) askToJoin(ctx context.Context, member answered) (waitsFor string) {
	if !s.joinsByItself() {
		return "somebody to call /join/" + s.NodeID() + "/" + s.node.Address() + " on a member (or give this node --join)"
	}
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if _, err := s.peers.Join(ctx, member.address, s.NodeID(), s.node.Address(), true); err != nil {
		return fmt.Sprintf("%s at %s to take it in: %v", member.Node, member.address, err)
	}
	return ""
}

func (s *VersionService) joinsByItself() bool {
	return len(s.settings.Join) > 0 || s.listed(s.NodeID())
}

func (s *VersionService) listed(id string) bool {
	_, listed := s.settings.listed(id)
	return listed
}

func (s *VersionService) waitsFor(answers []answered, silent []string) string {
	switch {
	case len(s.othersAddresses()) == 0:
		return "somebody to call /join/" + s.NodeID() + "/" + s.node.Address() + " on a member (or give this node --join)"
	case len(silent) > 0 && s.node.SecretFailure() != nil:
		return "the cluster.secret that the others have, of whom do not answer " + s.names(silent)
	case len(silent) > 0:
		return "an answer from " + s.names(silent)
	case countBlank(answers) < len(answers):
		return "the others to elect a leader"
	case len(s.settings.Listed) > 0 && !s.beginsClusters():
		return s.names([]string{s.settings.Listed[0].Address}) + " to begin a cluster"
	}
	return s.names(s.othersAddresses()) + " to be members of a cluster"
}

// names puts the ids of listed nodes before their addresses.
func (s *VersionService) names(addresses []string) string {
	named := make([]string, len(addresses))
	for i, address := range addresses {
		named[i] = address
		for _, n := range s.settings.Listed {
			if n.Address == address {
				named[i] = n.ID + " at " + address
			}
		}
	}
	return strings.Join(named, ", ")
}

// holdsCluster names the cluster that this node's database belongs to, "" when it belongs to none.
func (s *VersionService) holdsCluster(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, storeCheckTimeout)
	defer cancel()
	state, err := s.mysql.mysqlDao.State(ctx)
	if errors.Is(err, model.ErrNoState) || errors.Is(err, model.ErrStoreDiffers) && state.Cluster != "" {
		return state.Cluster, nil
	}
	return state.Cluster, err
}

// Admit takes the leader's word that the cluster has this node, and starts Raft. It is safe to repeat.
// A database of another cluster, or of another node, is refused before anything is touched.
func (s *VersionService) Admit(ctx context.Context, admission peer.Admission) error {
	membership := datadir.Membership{Cluster: admission.Cluster, Former: admission.Former, Replica: admission.Replica}
	if s.node.Running() {
		return s.node.Admit(membership)
	}
	if admission.Cluster == "" {
		return &model.ValidationError{Fields: []model.FieldError{{Field: "cluster", Detail: "is required"}}}
	}
	if held, err := s.holdsCluster(ctx); err == nil && held != "" && held != admission.Cluster && !slices.Contains(admission.Former, held) {
		return fmt.Errorf("%w: the database of node %s belongs to cluster %s; give it another one, or drop it if the records there are not needed", model.ErrWrongNode, s.NodeID(), held)
	}
	s.log.Info("taken into a cluster", "cluster", admission.Cluster)
	return s.node.Admit(membership)
}
