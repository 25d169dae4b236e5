package integrity

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"versiond/model"
	"versiond/peer"
	"versiond/raft"
)

// Disagreement is what the checksums of all members, at one place of the log, say against one member.
type Disagreement struct {
	Outvoted bool   // a majority of all members has other records
	Detail   string // "" where nothing speaks against it
}

// Agreement is what one comparison of the members' checksums found.
type Agreement struct {
	index  uint64 // the place in the log that they were compared at; 0 when there was none
	sums   map[string]model.Checksum
	groups map[model.Checksum][]string // the members by checksum
	right  model.Checksum              // what more than half of all members have; empty when there is no such
}

// Compare compares the checksums at the highest of the places that the most members know. What one of several knows is
// compared with nothing; the only member of a cluster is all of them.
func Compare(cluster string, members []raft.Member, answers []*peer.Status) Agreement {
	known := map[uint64]map[string]model.Checksum{}
	for i, m := range members {
		if a := answers[i]; a != nil && a.Cluster == cluster {
			collectCheckpoints(known, m.ID, a.Content)
		}
	}
	best := Agreement{}
	for index, sums := range known {
		if n := len(sums); (n > 1 || len(members) == 1) && (n > len(best.sums) || n == len(best.sums) && index > best.index) {
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

func (a *Agreement) count(members int) {
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

// Of returns what speaks against a member's records; nothing does against those of a majority.
func (a *Agreement) Of(id string) (d Disagreement) {
	own, known := a.sums[id]
	if !known || len(a.groups) < 2 || own == a.right {
		return d
	}
	if a.right != "" {
		return Disagreement{Outvoted: true, Detail: fmt.Sprintf("at index %d its records have the checksum %s, those of %s, a majority, have %s",
			a.index, own, strings.Join(a.groups[a.right], ", "), a.right)}
	}
	var others []string
	for _, sum := range slices.Sorted(maps.Keys(a.groups)) {
		if sum != own {
			others = append(others, fmt.Sprintf("those of %s have %s", strings.Join(a.groups[sum], ", "), sum))
		}
	}
	return Disagreement{Detail: fmt.Sprintf("at index %d its records have the checksum %s, %s; no majority of the members says whose are right",
		a.index, own, strings.Join(others, ", "))}
}
