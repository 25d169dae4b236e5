package history

import (
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

func op(client int, call, end int64, in Input, out Output) porcupine.Operation {
	in.Key = "k"
	return porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end}
}

func done(revision uint64) Output { return Output{Outcome: model.OutcomeDone, Revision: revision} }

func found(versionNo string, revision uint64) Output {
	return Output{Outcome: model.OutcomeDone, VersionNo: versionNo, Revision: revision}
}

var (
	absent  = Output{Outcome: model.OutcomeNotFound}
	unknown = Output{Unknown: true}
)

// A checker that lets a stale read, a lost update or a doubled create pass would prove nothing.
func TestCheckerTellsRightFromWrong(t *testing.T) {
	const never = 1 << 60
	for name, test := range map[string]struct {
		operations []porcupine.Operation
		right      bool
	}{
		"one after the other": {[]porcupine.Operation{
			op(0, 0, 1, Input{Kind: Add, VersionNo: "a"}, done(1)), op(1, 2, 3, Input{Kind: Read}, found("a", 1)),
			op(0, 4, 5, Input{Kind: Update, VersionNo: "b", IfRevision: 1}, done(2)), op(1, 6, 7, Input{Kind: Delete}, done(3)),
			op(1, 8, 9, Input{Kind: Read}, absent)}, true},
		"stale read": {[]porcupine.Operation{
			op(0, 0, 1, Input{Kind: Add, VersionNo: "a"}, done(1)), op(0, 2, 3, Input{Kind: Update, VersionNo: "b"}, done(2)),
			op(1, 4, 5, Input{Kind: Read}, found("a", 1))}, false},
		"read of what is not there yet": {[]porcupine.Operation{
			op(0, 0, 1, Input{Kind: Add, VersionNo: "a"}, done(1)), op(1, 2, 3, Input{Kind: Read}, absent)}, false},
		"lost update": {[]porcupine.Operation{
			op(0, 0, 1, Input{Kind: Add, VersionNo: "a"}, done(1)),
			op(0, 2, 5, Input{Kind: Update, VersionNo: "b", IfRevision: 1}, done(2)),
			op(1, 2, 5, Input{Kind: Update, VersionNo: "c", IfRevision: 1}, done(3))}, false},
		"created twice": {[]porcupine.Operation{
			op(0, 0, 3, Input{Kind: Add, VersionNo: "a"}, done(1)), op(1, 0, 3, Input{Kind: Add, VersionNo: "b"}, done(2))}, false},
		"wrong revision": {[]porcupine.Operation{
			op(0, 0, 1, Input{Kind: Add, VersionNo: "a"}, done(1)), op(1, 2, 3, Input{Kind: Read}, found("a", 9))}, false},
		"unknown write seen later": {[]porcupine.Operation{
			op(0, 0, never, Input{Kind: Add, VersionNo: "a"}, unknown), op(1, 2, 3, Input{Kind: Read}, absent),
			op(1, 4, 5, Input{Kind: Read}, found("a", 7)), op(1, 6, 7, Input{Kind: Update, VersionNo: "b", IfRevision: 7}, done(8))}, true},
		"unknown write never seen": {[]porcupine.Operation{
			op(0, 0, never, Input{Kind: Add, VersionNo: "a"}, unknown), op(1, 2, 3, Input{Kind: Read}, absent)}, true},
		"unknown write seen and gone again": {[]porcupine.Operation{
			op(0, 0, never, Input{Kind: Add, VersionNo: "a"}, unknown), op(1, 2, 3, Input{Kind: Read}, found("a", 7)),
			op(1, 4, 5, Input{Kind: Read}, absent)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Recorder{operations: map[string][]porcupine.Operation{"k": test.operations}}
			wrong, undecided := r.Check(time.Minute)
			require.Empty(t, undecided)
			require.Equal(t, test.right, len(wrong) == 0)
		})
	}
}

// A check of weak reads that lets an invented or an outdated answer pass would prove nothing either.
func TestWeakReadsAreHeldToTheirLabels(t *testing.T) {
	at := func(index uint64) uint64 { return model.Revision(index, 0) }
	written := []porcupine.Operation{
		op(0, 0, 1, Input{Kind: Add, VersionNo: "a"}, done(at(1))), op(0, 2, 3, Input{Kind: Update, VersionNo: "b"}, done(at(5))),
	}
	and := func(o porcupine.Operation) []porcupine.Operation { return append(slices.Clone(written), o) }
	deleted := and(op(0, 4, 5, Input{Kind: Delete}, Output{Outcome: model.OutcomeDone, Index: 8}))
	lost := and(op(0, 4, 1<<60, Input{Kind: Delete}, unknown))
	label := func(out Output, index uint64) Output { out.Index = index; return out }
	for name, test := range map[string]struct {
		writes []porcupine.Operation
		answer Output
		right  bool
	}{
		"current":                        {written, label(found("b", at(5)), 5), true},
		"former":                         {written, label(found("a", at(1)), 4), true},
		"former, labelled as current":    {written, label(found("a", at(1)), 5), false},
		"wrong revision":                 {written, label(found("a", at(2)), 2), false},
		"written by nobody":              {written, label(found("c", at(3)), 3), false},
		"absent before":                  {written, label(absent, 0), true},
		"absent, labelled as there":      {written, label(absent, 1), false},
		"absent after a delete":          {deleted, label(absent, 8), true},
		"deleted, labelled as deleted":   {deleted, label(found("b", at(5)), 8), false},
		"deleted, not reflected yet":     {deleted, label(found("b", at(5)), 7), true},
		"absent, perhaps by a delete":    {lost, label(absent, 9), true},
		"there, perhaps since no delete": {lost, label(found("b", at(5)), 9), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Recorder{operations: map[string][]porcupine.Operation{"k": test.writes},
				weak: map[string][]porcupine.Operation{"k": {op(1, 6, 7, Input{Kind: Read, Level: model.LevelNone}, test.answer)}}}
			require.Equal(t, test.right, len(r.CheckWeak()) == 0, "%v", r.CheckWeak())
		})
	}
}
