package raft

import (
	"slices"

	"versiond/model"
)

// Checksums are noted at the same places of the log on every node, so that nodes which are not equally
// far can be compared: close together for the last entries, so that few writes are enough, and far apart
// for what was before, so that a node may be some thousand entries behind.
const (
	nearStep       = 16
	farStep        = 1024
	checkpointsMax = 8 // of either kind
)

// checkpoints are the checksums that a node remembers.
type checkpoints struct {
	near, far []model.Checkpoint
	last      model.Checkpoint // at the applied index
}

// isCheckpoint reports whether every node notes its checksum at index.
func isCheckpoint(index uint64) bool { return index%nearStep == 0 }

// note takes points in the order of their indexes.
func (c *checkpoints) note(points ...model.Checkpoint) {
	for _, p := range points {
		if isCheckpoint(p.Index) && p != c.last {
			c.near = keep(c.near, p)
			if p.Index%farStep == 0 {
				c.far = keep(c.far, p)
			}
		}
		c.last = p
	}
}

func keep(points []model.Checkpoint, p model.Checkpoint) []model.Checkpoint {
	if len(points) == checkpointsMax {
		points = append(points[:0], points[1:]...)
	}
	return append(points, p)
}

// all returns every point that is remembered, some of them twice.
func (c *checkpoints) all() []model.Checkpoint {
	if c.last.Checksum == "" {
		return nil
	}
	return slices.Concat(c.far, c.near, []model.Checkpoint{c.last})
}

// forget is called when the store goes out of use: what comes then may have another past.
func (p *progress) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.content = checkpoints{}
}

func (p *progress) checkpoints() []model.Checkpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.content.all()
}
