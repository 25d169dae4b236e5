package measure

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// answerTimeout is how much longer than a load its last answers may take.
const answerTimeout = 15 * time.Second

// Work is one operation of a worker. number counts the worker's operations from 0.
type Work func(c Client, worker, number int, random *rand.Rand) error

// Load is a closed loop: each of the workers has a connection to one node and does the work again as
// soon as it is answered, or when its turn has come.
type Load struct {
	Workers  int
	Duration time.Duration
	// PerSecond is how often all workers together do the work, which they share out evenly; 0 is as often as they can.
	PerSecond int
	// Turn moves every worker on by so many nodes, so that a single one can be let visit all.
	Turn int
	Work Work
}

// Tally is what became of a load, or of several on the same system.
type Tally struct {
	Operations, Errors int
	// FirstError is what the first error said.
	FirstError string
	Elapsed    time.Duration
	// CPU is what the servers used meanwhile.
	CPU       time.Duration
	latencies []time.Duration
}

// Run puts the load on the system.
func (l Load) Run(ctx context.Context, s *System) (Tally, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Duration+answerTimeout)
	defer cancel()
	clients, err := l.dialAll(ctx, s)
	defer closeAll(clients)
	if err != nil {
		return Tally{}, err
	}
	before, err := s.CPU()
	if err != nil {
		return Tally{}, err
	}
	tally := l.work(clients)
	after, err := s.CPU()
	tally.CPU = after - before
	return tally, errors.Join(err, ctx.Err())
}

// NodeOf returns which of the nodes a worker has.
func (l Load) NodeOf(worker int) int { return (worker + l.Turn) % NodesCount }

func (l Load) dialAll(ctx context.Context, s *System) ([]Client, error) {
	var clients []Client
	for i := range l.Workers {
		c, err := s.Dial(ctx, s.Nodes[l.NodeOf(i)].Address)
		if err != nil {
			return clients, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func closeAll(clients []Client) {
	for _, c := range clients {
		_ = c.Close() // nothing is on its way any more
	}
}

func (l Load) work(clients []Client) Tally {
	tallies := make([]Tally, len(clients))
	began := time.Now()
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { tallies[i] = l.loop(c, i, began) })
	}
	wg.Wait()
	elapsed := time.Since(began)
	var all Tally
	for _, t := range tallies {
		all.Add(t)
	}
	all.Elapsed = elapsed
	return all
}

// loop ends when the load's time is over, or when the connection breaks.
func (l Load) loop(c Client, worker int, start time.Time) (t Tally) {
	random, end := rand.New(rand.NewPCG(uint64(worker), uint64(l.Turn))), start.Add(l.Duration)
	began := time.Now()
	for n := 0; began.Before(end); n++ {
		if l.PerSecond > 0 {
			began = l.await(start, worker, n)
		}
		err := l.Work(c, worker, n, random)
		now := time.Now()
		if err == nil {
			t.Operations++
			t.latencies = append(t.latencies, now.Sub(began))
		} else if t.fail(err); !errors.As(err, new(*refusedError)) {
			return t
		}
		began = now
	}
	return t
}

// await waits until a worker's operation of this number is due, and returns when it goes on.
func (l Load) await(start time.Time, worker, number int) time.Time {
	due := start.Add(time.Second * time.Duration(number*l.Workers+worker) / time.Duration(l.PerSecond))
	if early := time.Until(due); early > 0 {
		<-time.After(early)
	}
	return time.Now()
}

func (t *Tally) fail(err error) {
	if t.Errors++; t.FirstError == "" {
		t.FirstError = err.Error()
	}
}

// Add adds up two tallies, as if other had come after t.
func (t *Tally) Add(other Tally) {
	t.Operations += other.Operations
	t.Errors += other.Errors
	if t.FirstError == "" {
		t.FirstError = other.FirstError
	}
	t.Elapsed += other.Elapsed
	t.CPU += other.CPU
	t.latencies = append(t.latencies, other.latencies...)
}

// Time makes these what quantiles are of, in place of how long the operations took.
func (t *Tally) Time(latencies []time.Duration) { t.latencies = latencies }

// Rate is the number of operations a second.
func (t *Tally) Rate() float64 { return float64(t.Operations) / t.Elapsed.Seconds() }

// Quantile returns the latency that this part of the operations did not exceed, 0 when there were none.
func (t *Tally) Quantile(q float64) time.Duration {
	if len(t.latencies) == 0 {
		return 0
	}
	slices.Sort(t.latencies)
	return t.latencies[int(q*float64(len(t.latencies)-1))]
}

// CPUPerThousand is the processor time of the servers for a thousand operations.
func (t *Tally) CPUPerThousand() time.Duration {
	if t.Operations == 0 {
		return 0
	}
	return t.CPU * 1000 / time.Duration(t.Operations)
}
