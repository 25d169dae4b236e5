package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A batch must come to the same decision on whichever node it was sent to, and be in every store as
// decided: all of it, or none.
func TestBatchesOnEveryNode(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 3)
	for _, n := range nodes {
		ctx := within(t, 10*time.Second)
		a, b := "a-"+n.NodeID(), "b-"+n.NodeID()
		made, err := n.WriteBatch(ctx, model.Unit{Atomic: true, Commands: []model.Command{add(a, "1"), add(b, "1"), update(a, "2", 0)}}, "")
		require.NoError(t, err)
		require.Len(t, made.Outcomes, 3)
		require.Equal(t, made.Outcomes[0].Revision+2, made.Outcomes[2].Revision, "the commands of a batch follow each other")

		refused, err := n.WriteBatch(ctx, model.Unit{Atomic: true, Commands: []model.Command{remove(a, 0), add(b, "2")}}, "")
		require.NoError(t, err)
		require.Equal(t, []model.Outcome{{Code: model.OutcomeNotDone}, {Code: model.OutcomeAlreadyExists, Revision: made.Outcomes[1].Revision}}, refused.Outcomes)

		each, err := n.WriteBatch(ctx, model.Unit{Commands: []model.Command{remove(b, 1), remove(b, made.Outcomes[1].Revision), remove(b, 0)}}, "")
		require.NoError(t, err)
		require.Equal(t, model.OutcomeRevisionMismatch, each.Outcomes[0].Code)
		require.Equal(t, model.OutcomeDone, each.Outcomes[1].Code)
		require.Equal(t, model.OutcomeNotFound, each.Outcomes[2].Code)

		for _, reader := range nodes {
			require.Equal(t, model.VersionDB{ID: a, VersionNo: "2", Platform: "linux", Revision: made.Outcomes[2].Revision}, reader.mustGet(t, a))
			_, err := reader.GetVersionByID(ctx, b, model.ReadOptions{Level: model.LevelLinearizable})
			require.ErrorIs(t, err, model.ErrNotFound)
		}
	}
}

// The refusal of an atomic batch must name the revision that the record has, not one that the batch would have
// made: with that in If-Match a client would never get its write through. A retry with the key gets the same.
func TestRefusedBatchNamesTheRevisionThatStands(t *testing.T) {
	t.Parallel()
	nodes := mustCluster(t, 2)
	stands := nodes[0].mustAdd(t, "a", "1").Record.Revision
	for name, c := range map[string]struct {
		commands []model.Command
		want     model.Outcome
	}{
		"created after an update":        {[]model.Command{update("a", "2", 0), add("a", "3")}, model.Outcome{Code: model.OutcomeAlreadyExists, Revision: stands}},
		"created twice":                  {[]model.Command{add("zz", "1"), add("zz", "2")}, model.Outcome{Code: model.OutcomeAlreadyExists}},
		"changed twice, on one revision": {[]model.Command{update("a", "2", stands), update("a", "3", stands)}, model.Outcome{Code: model.OutcomeRevisionMismatch, Revision: stands}},
		"created, then on a revision":    {[]model.Command{add("zz", "1"), update("zz", "2", stands)}, model.Outcome{Code: model.OutcomeRevisionMismatch}},
		"deleted twice":                  {[]model.Command{remove("a", 0), remove("a", 0)}, model.Outcome{Code: model.OutcomeNotFound, Revision: stands}},
		"deleted and created again":      {[]model.Command{remove("a", 0), add("a", "2"), add("a", "3")}, model.Outcome{Code: model.OutcomeAlreadyExists, Revision: stands}},
	} {
		for _, n := range nodes {
			refused, err := n.WriteBatch(within(t, 10*time.Second), model.Unit{Atomic: true, Commands: c.commands}, name)
			require.NoError(t, err, name)
			require.Equal(t, c.want, refused.Outcomes[len(c.commands)-1], name)
			require.Equal(t, n != nodes[0], refused.Replayed, name)
		}
	}
	require.Equal(t, stands, nodes[1].mustGet(t, "a").Revision)
	each, err := nodes[1].WriteBatch(within(t, 10*time.Second), model.Unit{Commands: []model.Command{add("zz", "1"), add("zz", "2")}}, "")
	require.NoError(t, err)
	require.Equal(t, each.Outcomes[0].Revision, each.Outcomes[1].Revision, "what is not taken back stands")
}

// A batch that breaks a rule must not reach the log, where it would be for ever.
func TestInvalidBatchesAreNotSent(t *testing.T) {
	s := nodeOptions{}.mustOpen(t)
	ctx := within(t, time.Second)
	many, large := make([]model.Command, model.UnitCommandsMax+1), make([]model.Command, model.UnitCommandsMax)
	for i := range many {
		many[i] = remove(fmt.Sprint(i), 0)
	}
	for i := range large {
		large[i] = add(fmt.Sprintf("%0128d", i), strings.Repeat("😀", 64))
		large[i].Platform = strings.Repeat("😀", 64)
	}
	for name, commands := range map[string][]model.Command{
		"none": {}, "too many": many, "too large": large,
		"a bad id":        {remove("a", 0), remove("..", 0)},
		"no content":      {{Type: model.CommandUpdate, ID: "a"}},
		"an unknown type": {{Type: 9, ID: "a"}},
	} {
		_, err := s.WriteBatch(ctx, model.Unit{Commands: commands}, "")
		require.ErrorIs(t, err, model.ErrInvalid, name)
	}
	require.NoError(t, ctx.Err(), "it looked for a leader first")
}
