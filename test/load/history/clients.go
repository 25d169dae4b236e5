package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// requestTimeout is longer than nodes take by default, so that their own answer is seen.
const requestTimeout = 10 * time.Second

// impatientTimeout is for reads of Settled clients: one that is given up costs nothing.
const impatientTimeout = 2 * time.Second

// Options set what Clients do.
type Options struct {
	// Prefix begins the ids of the records.
	Prefix string
	// Keys is how many records there are, Workers how many clients share them.
	Keys, Workers int
	// Levels are those at which the clients read.
	Levels []model.Level
	// AsLinearizable holds every read to the strongest level, whatever it was asked at.
	AsLinearizable bool
	// Pause is how long each client rests between two requests: the checker must come to an end.
	Pause time.Duration
	// Settled clients write to one node until it fails them, and read on any without much patience: a
	// node that does not answer then holds up few of them.
	Settled bool
}

// Clients write and read a few records on all nodes, and record what they are answered.
type Clients struct {
	recorder *Recorder
	nodes    []*cluster.Client
	options  Options
	serial   atomic.Int64
	wg       sync.WaitGroup
	gate     sync.RWMutex // requests hold it shared
	readOnly bool
}

// Start lets clients ask these nodes until the context ends.
func Start(ctx context.Context, nodes []*cluster.Client, options Options) *Clients {
	c := &Clients{recorder: NewRecorder(), nodes: nodes, options: options}
	for i := range options.Workers {
		c.wg.Go(func() { c.run(ctx, i) })
	}
	return c
}

// OnlyRead lets the clients write no more until it is called again, and returns when no write is on its way.
func (c *Clients) OnlyRead(on bool) {
	c.gate.Lock()
	defer c.gate.Unlock()
	c.readOnly = on
}

// Wait waits until every client has its last answer, and returns what they recorded.
func (c *Clients) Wait() *Recorder {
	c.wg.Wait()
	return c.recorder
}

func (c *Clients) run(ctx context.Context, worker int) {
	random := rand.New(rand.NewPCG(uint64(worker), 7))
	last := map[string]uint64{} // the revisions that this worker saw last
	home := worker
	for ctx.Err() == nil {
		home = c.one(worker, home, random, last)
		select {
		case <-time.After(c.options.Pause):
		case <-ctx.Done():
		}
	}
}

// one makes one request, and returns the node to which the next write goes.
func (c *Clients) one(worker, home int, random *rand.Rand, last map[string]uint64) int {
	c.gate.RLock()
	defer c.gate.RUnlock()
	in := c.pick(random, last)
	if c.readOnly && in.Kind != Read {
		return home
	}
	node := c.nodes[random.IntN(len(c.nodes))]
	if c.options.Settled && in.Kind != Read {
		node = c.nodes[home%len(c.nodes)]
	}
	filed := in
	if c.options.AsLinearizable {
		filed.Level = model.LevelLinearizable
	}
	c.recorder.Do(worker, filed, func() Output {
		out := c.ask(node, in)
		if out.Unknown || out.Refused {
			home++
		}
		if out.Revision != 0 {
			last[in.Key] = out.Revision
		}
		return out
	})
	return home
}

func (c *Clients) pick(random *rand.Rand, last map[string]uint64) Input {
	in := Input{Key: fmt.Sprintf("%s-%d", c.options.Prefix, random.IntN(c.options.Keys)), VersionNo: fmt.Sprint("v", c.serial.Add(1))}
	switch n := random.IntN(100); {
	case n < 45:
		in.Kind, in.Level = Read, c.options.Levels[random.IntN(len(c.options.Levels))]
	case n < 65:
		in.Kind = Add
	case n < 90:
		in.Kind = Update
	default:
		in.Kind = Delete
	}
	if (in.Kind == Update || in.Kind == Delete) && random.IntN(2) == 0 {
		in.IfRevision = last[in.Key]
	}
	return in
}

// ask makes one request. It has a deadline of its own, so that the end of the test makes no unknowns.
func (c *Clients) ask(node *cluster.Client, in Input) Output {
	timeout := requestTimeout
	if c.options.Settled && in.Kind == Read {
		timeout = impatientTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	record := model.VersionDB{ID: in.Key, VersionNo: in.VersionNo, Platform: platform}
	var result model.Result
	var err error
	switch in.Kind {
	case Read:
		result, err = node.Get(ctx, in.Key, model.ReadOptions{Level: in.Level})
	case Add:
		result, err = node.Add(ctx, record)
	case Update:
		result, err = node.Update(ctx, record, in.IfRevision)
	case Delete:
		result.Index, err = node.Delete(ctx, in.Key, in.IfRevision)
	}
	return output(result, err)
}

func output(result model.Result, err error) Output {
	out := Output{Index: result.Index}
	switch cluster.CodeOf(err) {
	case "already_exists":
		out.Outcome = model.OutcomeAlreadyExists
	case "not_found":
		out.Outcome = model.OutcomeNotFound
	case "revision_mismatch":
		out.Outcome = model.OutcomeRevisionMismatch
	default:
		if err != nil {
			return Output{Refused: cluster.Refused(err), Unknown: !cluster.Refused(err)}
		}
		out.Outcome, out.VersionNo, out.Revision = model.OutcomeDone, result.Record.VersionNo, result.Record.Revision
	}
	return out
}
