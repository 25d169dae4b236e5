package main

import (
	"time"

	"versiond/test/load/measure"
)

// result is all that was measured, as the JSON file has it.
type result struct {
	Began    time.Time       `json:"began"`
	Duration time.Duration   `json:"durationNanoseconds"` // of each load in each round
	Rounds   int             `json:"rounds"`
	Machine  measure.Machine `json:"machine"`
	Systems  []systemNote    `json:"systems"`
	Others   []string        `json:"others,omitempty"` // the names of other versionds
	LeftOut  []string        `json:"leftOut,omitempty"`
	Rows     []row           `json:"rows"`
	Memory   []memoryNote    `json:"memory"`
	// WatcherBytes is what a watcher takes of a node's memory, by the name of the system.
	WatcherBytes map[string]int64 `json:"watcherBytes,omitempty"`

	unshown int // other versionds that were measured too, and are not on the page
}

type systemNote struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// row is what one system did in one cell.
type row struct {
	Work    string  `json:"work"`
	Clients int     `json:"clients"`
	System  string  `json:"system"`
	Rate    float64 `json:"perSecond"`
	// Rates are those of each round.
	Rates      []float64 `json:"perSecondByRound"`
	P50        float64   `json:"p50Milliseconds"`
	P99        float64   `json:"p99Milliseconds"`
	CPU        float64   `json:"cpuSecondsPerThousand"`
	Errors     int       `json:"errors"`
	FirstError string    `json:"firstError,omitempty"`
	// ToEtcd is how many times etcd's rate this is, 0 when etcd was not measured.
	ToEtcd float64 `json:"toEtcd,omitempty"`
}

// memoryNote is the most that a process held at any time, from its start on.
type memoryNote struct {
	System string `json:"system"`
	Server string `json:"server"`
	Peak   int64  `json:"peakBytes"`
	// Node reports whether it is one of the system's nodes, and not what they share.
	Node bool `json:"node"`
}

// note files a system's part in a cell. etcd comes last, and gives the others their ratio.
func (r *result) note(p *part) {
	c, t := p.cell, &p.tally
	r.Rows = append(r.Rows, row{
		Work: c.name, Clients: c.workers, System: p.system.Name, Rate: t.Rate(), Rates: p.rates,
		P50: milliseconds(t.Quantile(0.5)), P99: milliseconds(t.Quantile(0.99)),
		CPU: t.CPUPerThousand().Seconds(), Errors: t.Errors, FirstError: t.FirstError,
	})
	etcd := r.find(c.name, c.workers, measure.Etcd)
	if etcd == nil || etcd.Rate == 0 {
		return
	}
	for i := range r.Rows {
		if r.Rows[i].Work == c.name && r.Rows[i].Clients == c.workers {
			r.Rows[i].ToEtcd = r.Rows[i].Rate / etcd.Rate
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// find returns a row, nil when it was not measured.
func (r *result) find(work string, clients int, system string) *row {
	for i := range r.Rows {
		if each := &r.Rows[i]; each.Work == work && each.Clients == clients && each.System == system {
			return each
		}
	}
	return nil
}

func (r *result) noteMemory(systems []*measure.System) error {
	for _, s := range systems {
		for i, server := range s.Servers() {
			memory, err := server.Memory()
			if err != nil {
				return err
			}
			r.Memory = append(r.Memory, memoryNote{System: s.Name, Server: server.Name, Peak: memory.Peak, Node: i < len(s.Nodes)})
		}
	}
	return nil
}

// peak returns the most that any node of a system held, 0 when it was not measured.
func (r *result) peak(system string) (bytes int64) {
	for _, each := range r.Memory {
		if each.System == system && each.Node {
			bytes = max(bytes, each.Peak)
		}
	}
	return bytes
}
