package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// check ends the test unless everything is as it must be.
func (r *run) check(f Fault, o *outcome) {
	r.t.Helper()
	rows := r.cluster.RequireEqualStores()
	r.cluster.RequireLocal(rows)
	o.watched, o.gone = r.watchers.RequireAllSeen(r.t, r.cluster.Nodes[0].Database)
	r.violated(f, r.ledger.Violations(withPrefix(rows, loadPrefix)))
	o.changes = r.checkChanges(f)
	wrong, undecided := r.recorder.Check(historyCheckTimeout * r.options.Patience)
	stale := r.recorder.CheckWeak()
	r.report.violated(f, slices.Repeat([]cluster.Kind{cluster.Stale}, len(stale)+len(wrong))...)
	require.Empty(r.t, wrong, "round %d: %s: no single store can explain what was answered for these records", r.number, f.Name)
	require.Empty(r.t, undecided, "round %d: %s: the checker did not come to an end", r.number, f.Name)
	require.Empty(r.t, stale, "round %d: %s: answers older than their labels", r.number, f.Name)
	require.NotContains(r.t, []int{o.changes, o.watched, o.latest}, 0, "round %d: %s: changes, those that watchers saw, answers to questions for the newest: none prove nothing", r.number, f.Name)
	require.GreaterOrEqual(r.t, o.during, f.LeastDuring, "round %d: %s: writes acknowledged while it lasted; timers were up to %s late; of the longest gap: %s", r.number, f.Name, o.late, o.why)
	require.LessOrEqual(r.t, o.withoutWrites(), r.within(f, o.late), "round %d: %s: %s; timers were up to %s late; of the longest gap: %s",
		r.number, f.Name, o.whichTime(), o.late, o.why)
	if r.t.Failed() {
		r.t.FailNow()
	}
}

// violated reports what must not have happened, unless it is nothing.
func (r *run) violated(f Fault, violations []cluster.Violation) {
	r.t.Helper()
	for _, v := range violations {
		r.report.violated(f, v.Kind)
	}
	if len(violations) == 0 {
		return
	}
	text := fmt.Sprintf("round %d: %s: %d violations, the first of them:", r.number, f.Name, len(violations))
	for _, v := range violations[:min(5, len(violations))] {
		text += "\n" + v.String()
	}
	r.t.Error(text)
}

// within bounds the time without a write, on a machine that was so late.
func (r *run) within(f Fault, late time.Duration) time.Duration {
	within := f.WritesWithin
	if within == 0 {
		within = defaultWritesWithin
	}
	return within*r.options.Patience + latenessTimes*late
}

func withPrefix(rows []model.Version, prefix string) []model.Version {
	var kept []model.Version
	for _, row := range rows {
		if strings.HasPrefix(row.ID, prefix) {
			kept = append(kept, row)
		}
	}
	return kept
}
