package chaos

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"versiond/test/harness/cluster"
)

// Report is what a run found, fault by fault.
type Report struct {
	// Mode is where the run's nodes kept their records.
	Mode Mode

	seed  uint64
	began time.Time
	took  time.Duration
	// logFiles is how many files of the log the rounds have left on the node with the fewest.
	logFiles int
	lines    []*line // in the order of the first rounds
}

// line is one fault's line.
type line struct {
	fault                    string
	rounds                   int
	operations, acknowledged int
	changes, watched, gone   int
	latest                   int
	wrong                    map[cluster.Kind]int
	gaps, backs, heals       []time.Duration
}

func newReport(options Options) *Report {
	return &Report{Mode: options.Mode, seed: options.Seed, began: time.Now()}
}

func (r *Report) line(f Fault) *line {
	for _, l := range r.lines {
		if l.fault == f.Name {
			return l
		}
	}
	l := &line{fault: f.Name, wrong: map[cluster.Kind]int{}}
	r.lines = append(r.lines, l)
	return l
}

// add files a round in which nothing was wrong.
func (r *Report) add(f Fault, o outcome) {
	l := r.line(f)
	l.rounds++
	l.operations += o.operations
	l.acknowledged += o.acknowledged
	l.changes, l.watched, l.gone, l.latest = l.changes+o.changes, l.watched+o.watched, l.gone+o.gone, l.latest+o.latest
	l.gaps, l.backs, l.heals = append(l.gaps, o.gap), append(l.backs, o.withoutWrites()), append(l.heals, o.heal)
}

// violated files what was wrong in a round.
func (r *Report) violated(f Fault, kinds ...cluster.Kind) {
	for _, kind := range kinds {
		r.line(f).wrong[kind]++
	}
}

var columns = []string{
	"fault", "rounds", "operations", "acknowledged", "changes", "told to watchers", "watchers told 410", "`latest` asked", "lost", "doubled", "stale reads", "other wrong",
	"longest gap in writes, median", "worst", "writes again after, median", "worst", "all ready after, median", "worst",
}

func (l *line) cells() []string {
	cells := []string{l.fault}
	for _, n := range []int{l.rounds, l.operations, l.acknowledged, l.changes, l.watched, l.gone, l.latest, l.wrong[cluster.Lost], l.wrong[cluster.Doubled], l.wrong[cluster.Stale], l.wrong[cluster.Wrong]} {
		cells = append(cells, fmt.Sprint(n))
	}
	for _, times := range [][]time.Duration{l.gaps, l.backs, l.heals} {
		median, worst := medianAndWorst(times)
		cells = append(cells, seconds(median), seconds(worst))
	}
	return cells
}

// String returns the table as text.
func (r *Report) String() string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(&out, "mode %s, seed %d, %d rounds, %d files of the log\n", r.Mode, r.seed, r.rounds(), r.logFiles)
	fmt.Fprintln(w, strings.Join(columns, "\t"))
	for _, l := range r.lines {
		fmt.Fprintln(w, strings.Join(l.cells(), "\t"))
	}
	_ = w.Flush() // a strings.Builder takes everything
	return out.String()
}

func (r *Report) rounds() (rounds int) {
	for _, l := range r.lines {
		rounds += l.rounds
	}
	return rounds
}

func medianAndWorst(times []time.Duration) (median, worst time.Duration) {
	if len(times) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2], sorted[len(sorted)-1]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
