package raft

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func pointAt(index uint64) model.Checkpoint {
	return model.Checkpoint{Index: index, Checksum: model.NewChecksum(1, index)}
}

// Two nodes that are some thousand entries apart, and take different numbers of entries into their
// transactions, must still know the checksum of one common place, or a divergence under load is not
// found until the load ends.
func TestCheckpointsAreCommonToNodesApart(t *testing.T) {
	const ahead = 20_000
	for _, behind := range []uint64{0, 1, 15, 100, 5000} {
		common := map[model.Checkpoint]int{}
		for _, node := range []struct{ upTo, group uint64 }{{ahead, 1}, {ahead - behind, 7}} {
			var c checkpoints
			for from := uint64(0); from < node.upTo; from += node.group {
				to := min(from+node.group, node.upTo)
				var passed []model.Checkpoint
				for index := from + 1; index <= to; index++ {
					if isCheckpoint(index) {
						passed = append(passed, pointAt(index))
					}
				}
				c.note(append(passed, pointAt(to))...)
			}
			require.LessOrEqual(t, len(c.all()), 2*checkpointsMax+1)
			seen := map[model.Checkpoint]bool{}
			for _, p := range c.all() {
				seen[p] = true
			}
			for p := range seen {
				common[p]++
			}
		}
		shared := 0
		for p, n := range common {
			if n == 2 {
				shared++
				require.LessOrEqual(t, p.Index, ahead-behind)
			}
		}
		require.Positive(t, shared, "%d entries apart", behind)
	}
}

// A store that goes out of use takes its past along: what it is built of anew may have another.
func TestCheckpointsAreForgotten(t *testing.T) {
	p := newProgress()
	p.publish(model.Position{Index: 16}, pointAt(16))
	require.NotEmpty(t, p.checkpoints())
	p.forget()
	require.Empty(t, p.checkpoints())
}
