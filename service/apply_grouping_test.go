package service

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// randomEntries is a history in which commands often meet on the same few ids, and conditions often
// name revisions that were current at some time.
func randomEntries(seed uint64, count int) [][]model.Command {
	random := rand.New(rand.NewPCG(seed, 0))
	rows, made := map[string]model.Version{}, []uint64{0}
	entries := make([][]model.Command, count)
	for i := range entries {
		for position := range 1 + random.IntN(4) {
			c := model.Command{
				Type: model.CommandType(1 + random.IntN(3)), ID: fmt.Sprintf("id-%d", random.IntN(12)),
				VersionNo: fmt.Sprint(i, "-", position), Platform: "linux",
			}
			if c.Type != model.CommandAdd && random.IntN(2) == 0 {
				c.IfRevision = made[len(made)-1-random.IntN(min(8, len(made)))]
			}
			revision := model.Revision(uint64(i+1), position)
			if decide(rows, c, revision).Code == model.OutcomeDone {
				made = append(made, revision)
			}
			entries[i] = append(entries[i], c)
		}
	}
	return entries
}

// Nodes take as many entries into a transaction as happen to wait. Whatever the grouping, they must
// decide alike, or the nodes hold different records for ever.
func TestGroupingChangesNothing(t *testing.T) {
	for seed := range uint64(6) {
		entries := randomEntries(seed, 120)
		wantRows, wantOutcomes := map[string]model.Version{}, make([][]model.Outcome, len(entries))
		for i, commands := range entries {
			for position, c := range commands {
				wantOutcomes[i] = append(wantOutcomes[i], decide(wantRows, c, model.Revision(uint64(i+1), position)))
			}
		}
		for _, groupMax := range []int{1, 5, len(entries)} {
			t.Run(fmt.Sprintf("seed %d in groups of up to %d", seed, groupMax), func(t *testing.T) {
				a := mustApplied(t)
				random := rand.New(rand.NewPCG(seed, uint64(groupMax)))
				var outcomes [][]model.Outcome
				for rest := entries; len(rest) > 0; {
					n := min(len(rest), 1+random.IntN(groupMax))
					outcomes = append(outcomes, a.group(t, rest[:n]...)...)
					rest = rest[n:]
				}
				require.Equal(t, wantOutcomes, outcomes)
				require.Equal(t, wantRows, a.rows(t))
			})
		}
	}
}
