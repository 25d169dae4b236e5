package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// agreementInterval paces the questions of a node that waits to agree with a majority again.
const agreementInterval = time.Second

// disagreement is what the checksums of all members, at one place of the log, say of one member.
type disagreement struct {
	outvoted bool // a majority of all members has other records
	detail   string
}

// agreement is what one comparison of the members' checksums found.
type agreement struct {
	index  uint64 // the place in the log that they were compared at; 0 when there was none
	sums   map[string]model.Checksum
	groups map[model.Checksum][]string // the members by checksum
	right  model.Checksum              // what more than half of all members have; empty when there is no such
}

// compareContents compares the checksums at the highest of the places that the most members know.
func compareContents(cluster string, members []raft.Member, answers []*peer.Status) agreement {
	known := map[uint64]map[string]model.Checksum{}
	for i, m := range members {
		if a := answers[i]; a != nil && a.Node == m.ID && a.Cluster == cluster {
			collectCheckpoints(known, m.ID, a.Content)
		}
	}
	best := agreement{}
	for index, sums := range known {
		if n := len(sums); n > 1 && (n > len(best.sums) || n == len(best.sums) && index > best.index) {
			best.index, best.sums = index, sums
		}
	}
	best.count(len(members))
	return best
}

func collectCheckpoints(known map[uint64]map[string]model.Checksum, id string, points []model.Checkpoint) {
	for _, p := range points {
		if !p.Checksum.Comparable() {
			continue
		}
		if known[p.Index] == nil {
			known[p.Index] = map[string]model.Checksum{}
		}
		known[p.Index][id] = p.Checksum
	}
}

func (a *agreement) count(members int) {
	a.groups = map[model.Checksum][]string{}
	for _, id := range slices.Sorted(maps.Keys(a.sums)) {
		a.groups[a.sums[id]] = append(a.groups[a.sums[id]], id)
	}
	for sum, ids := range a.groups {
		if 2*len(ids) > members {
			a.right = sum
		}
	}
}

// of says what speaks against a member's records; nothing does against those of a majority.
func (a *agreement) of(id string) (d disagreement, found bool) {
	own, known := a.sums[id]
	if !known || len(a.groups) < 2 || own == a.right {
		return d, false
	}
	if a.right != "" {
		return disagreement{outvoted: true, detail: fmt.Sprintf("at index %d its records make %s, those of %s, a majority, make %s",
			a.index, own, strings.Join(a.groups[a.right], ", "), a.right)}, true
	}
	var others []string
	for _, sum := range slices.Sorted(maps.Keys(a.groups)) {
		if sum != own {
			others = append(others, fmt.Sprintf("those of %s make %s", strings.Join(a.groups[sum], ", "), sum))
		}
	}
	return disagreement{detail: fmt.Sprintf("at index %d its records make %s, %s; no majority of the members says whose are right",
		a.index, own, strings.Join(others, ", "))}, true
}

// compareWithMembers asks every member for its checksums. A node whose records a majority does not have
// stops serving them; where no majority says who is right, nobody does, and operators are told.
func (s *VersionService) compareWithMembers(ctx context.Context) {
	gen := s.storeGen.Load()
	found := s.agreement(ctx)
	own, differs := found.of(s.NodeID())
	if own.outvoted {
		s.distrust(gen, foundByPeers, fmt.Errorf("%w: %s", model.ErrStoreDiffers, own.detail))
	}
	if !differs || own.outvoted {
		s.undecided.Store(nil)
		return
	}
	if before := s.undecided.Swap(&own.detail); before == nil {
		s.log.Error("members have different records, and no majority says whose are right; compare them with level=none lists; on the node that is wrong: "+model.RejoinAdvice, "detail", own.detail)
	}
}

func (s *VersionService) agreement(ctx context.Context) agreement {
	members := s.node.Members()
	return compareContents(s.node.Identity().Cluster, members, s.askAll(ctx, addressesOf(members)))
}

// awaitAgreement waits until a majority has the records that this node has now, after it built its store
// anew because a majority had others.
func (s *VersionService) awaitAgreement(ctx context.Context) {
	for told := false; group.Pause(ctx, agreementInterval); {
		found := s.agreement(ctx)
		if !s.node.Serving() || found.sums[s.NodeID()] == "" {
			continue
		}
		own, differs := found.of(s.NodeID())
		if !differs && found.right != "" {
			return
		}
		if own.outvoted && !told {
			s.log.Error("a majority still has other records than this node makes of its own snapshot and log; "+model.RejoinAdvice, "detail", own.detail)
			told = true
		}
	}
}
