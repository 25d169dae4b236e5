package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"versiond/test/load/measure"
)

// markdown returns everything as a person reads it.
func (r *result) markdown() string {
	var b strings.Builder
	r.writeIntroduction(&b)
	r.writeRows(&b)
	r.writeTargets(&b)
	r.writeMemory(&b)
	return b.String()
}

func (r *result) writeIntroduction(b *strings.Builder) {
	m := r.Machine
	fmt.Fprintf(b, "Measured on %s: %s, %d cores, %.1f GiB of memory, %s, %s; an fsync takes %.2f ms. Each load ran %d times for %s.\n\n",
		r.Began.Format(time.DateOnly), m.Processor, m.Cores, gibibytes(m.Memory), m.System, m.Go, milliseconds(m.Sync), r.Rounds, r.Duration)
	for _, s := range r.Systems {
		fmt.Fprintf(b, "* %s: `%s`\n", s.Name, s.Version)
	}
	for _, why := range r.LeftOut {
		fmt.Fprintf(b, "* left out: %s\n", why)
	}
	if r.unshown > 0 {
		fmt.Fprintf(b, "* not shown: other versions of versiond, in both modes, that took their turns with these: %d\n", r.unshown)
	}
	b.WriteString("\n")
}

func gibibytes(bytes int64) float64 { return float64(bytes) / (1 << 30) }

func (r *result) writeRows(b *strings.Builder) {
	b.WriteString("| work | clients | system | per second | × etcd | p50 ms | p99 ms | CPU s per 1,000 | errors |" + r.othersHead() + "\n" +
		"| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |" + strings.Repeat(" ---: | ---: |", len(r.Others)) + "\n")
	for _, each := range r.Rows {
		fmt.Fprintf(b, "| %s | %d | %s | %.0f | %s | %.2f | %.2f | %.3f | %d |%s\n",
			each.Work, each.Clients, each.System, each.Rate, ratio(each.ToEtcd), each.P50, each.P99, each.CPU, each.Errors, r.toOthers(&each))
	}
	for _, each := range r.Rows {
		if each.FirstError != "" {
			fmt.Fprintf(b, "\nThe first error of %s, %d clients, %s: %s\n", each.Work, each.Clients, each.System, each.FirstError)
		}
	}
	b.WriteString("\n")
}

// othersHead heads the columns that compare with other versionds.
func (r *result) othersHead() (text string) {
	for _, name := range r.Others {
		text += fmt.Sprintf(" × %s | p50 × %s |", name, name)
	}
	return text
}

func (r *result) toOthers(of *row) (text string) {
	for _, name := range r.Others {
		them := r.toOther(of, name)
		medians, _ := quotient(median, of, them)
		text += fmt.Sprintf(" %s | %s |", byRound(of, them), ratio(medians))
	}
	return text
}

// byRound returns how many times another row's rate a row has: the geometric mean of the rounds, and its standard error. What
// is not further from 1 than twice that may be chance.
func byRound(of, them *row) string {
	if them == nil || len(of.Rates) != len(them.Rates) {
		return ratio(0)
	}
	var sum, squares float64
	for i := range of.Rates {
		log := math.Log(of.Rates[i] / them.Rates[i])
		sum, squares = sum+log, squares+log*log
	}
	n := float64(len(of.Rates))
	variance := max(0, squares-sum*sum/n) / max(1, n-1)
	mean := math.Exp(sum / n)
	return fmt.Sprintf("%.2f ± %.2f", mean, mean*math.Sqrt(variance/n))
}

func ratio(value float64) string {
	if value == 0 {
		return "—"
	}
	return fmt.Sprintf("%.2f", value)
}

func (r *result) writeTargets(b *strings.Builder) {
	b.WriteString("| target | bound | " + measure.Embedded + " | " + measure.WithServers + " |\n| --- | --- | --- | --- |\n")
	for _, t := range targets() {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", t.what, t.boundText(), r.verdict(t, measure.Embedded), r.verdict(t, measure.WithServers))
	}
	b.WriteString("\n")
}

func (t target) boundText() string {
	word, a, b := "at least", t.bounds[measure.Embedded], t.bounds[measure.WithServers]
	if t.most {
		word = "at most"
	}
	if a == b {
		return fmt.Sprintf("%s %g", word, a)
	}
	return fmt.Sprintf("%s %g, %g", word, a, b)
}

func (r *result) verdict(t target, system string) string {
	value, measured := t.value(r, system)
	if !measured {
		return "not measured"
	}
	word := "missed"
	if t.met(system, value) {
		word = "met"
	}
	return fmt.Sprintf("%.2f, %s", value, word)
}

func (r *result) writeMemory(b *strings.Builder) {
	b.WriteString("| system | process | peak memory, MiB |\n| --- | --- | ---: |\n")
	for _, each := range r.Memory {
		fmt.Fprintf(b, "| %s | %s | %.0f |\n", each.System, each.Server, float64(each.Peak)/(1<<20))
	}
	for _, each := range r.Systems {
		if bytes, ok := r.WatcherBytes[each.Name]; ok {
			fmt.Fprintf(b, "| %s | one watcher | %.3f |\n", each.Name, float64(bytes)/(1<<20))
		}
	}
}
