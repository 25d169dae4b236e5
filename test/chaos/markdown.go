package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"versiond/test/load/measure"
)

// Markdown returns the table as documents show it, with what it depends on.
func (r *Report) Markdown(m measure.Machine) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Run on %s for %s, %d rounds, seed %d: %s, %d cores, %s, %s; an fsync takes %.2f ms.\n\n",
		r.began.Format(time.DateOnly), r.took.Round(time.Minute), r.rounds(), r.seed, m.Processor, m.Cores, m.System, m.Go, m.Sync.Seconds()*1000)
	writeRow(&out, columns)
	writeRow(&out, append([]string{"---"}, slices.Repeat([]string{"---:"}, len(columns)-1)...))
	for _, l := range r.lines {
		writeRow(&out, l.cells())
	}
	return out.String()
}

// Promises returns the faults as a table for users: what happens, and what is promised.
func Promises(faults []Fault) string {
	var out strings.Builder
	writeRow(&out, []string{"what happens", "what is promised", "tried on"})
	writeRow(&out, []string{"---", "---", "---"})
	for _, f := range faults {
		on := "both"
		if len(f.Modes) > 0 {
			on = string(f.Modes[0])
		}
		writeRow(&out, []string{f.Name, f.Promise, on})
	}
	return out.String()
}

func writeRow(out *strings.Builder, cells []string) {
	fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
}
