package main

import (
	"fmt"
	"strings"
	"time"

	"versiond/test/load/measure"
)

// figure is something measured, and the bound that it is to keep, 0 for none.
type figure struct {
	what        string
	value, most float64
}

type modeFigures struct {
	mode    string
	figures []figure
}

// report is all that was measured.
type report struct {
	began   time.Time
	records int
	machine measure.Machine
	modes   []modeFigures
	leftOut []string
}

func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with %d records: %s, %d cores, %s, %s; an fsync takes %.2f ms. All processes share the machine, those of a second cluster and of 64 clients too.\n",
		r.began.Format(time.DateOnly), r.records, r.machine.Processor, r.machine.Cores, r.machine.System, r.machine.Go, r.machine.Sync.Seconds()*1000)
	for _, why := range r.leftOut {
		fmt.Fprintf(&b, "\nLeft out: %s\n", why)
	}
	for _, m := range r.modes {
		fmt.Fprintf(&b, "\n| %s | measured | at most | |\n| --- | ---: | ---: | --- |\n", m.mode)
		for _, f := range m.figures {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", f.what, number(f.value), f.verdict())
		}
	}
	return b.String()
}

func number(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

func (f figure) verdict() string {
	switch {
	case f.most == 0:
		return "— |"
	case f.value <= f.most:
		return number(f.most) + " | met"
	}
	return number(f.most) + " | missed"
}
