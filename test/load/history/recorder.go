package history

import (
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"versiond/model"
)

// Recorder collects operations from any goroutine.
type Recorder struct {
	began time.Time

	mu         sync.Mutex
	operations map[string][]porcupine.Operation // by key: records do not depend on each other
	weak       map[string][]porcupine.Operation // reads that need not be linearizable
	count      int
}

// NewRecorder makes a Recorder whose clock starts now.
func NewRecorder() *Recorder {
	return &Recorder{began: time.Now(), operations: map[string][]porcupine.Operation{}, weak: map[string][]porcupine.Operation{}}
}

// Do runs one operation of a client and records it. A write of unknown outcome may take effect at any
// later time. A read without an answer says nothing and is left out, and so is a write of which it was
// promised that it was not done: if it was all the same, a read finds what nobody wrote.
func (r *Recorder) Do(client int, in Input, do func() Output) {
	call := time.Since(r.began).Nanoseconds()
	out := do()
	end := time.Since(r.began).Nanoseconds()
	if out.Unknown || out.Refused {
		if in.Kind == Read || out.Refused {
			return
		}
		end = math.MaxInt64
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	into := r.operations
	if in.Kind == Read && in.Level != "" && in.Level != model.LevelLinearizable {
		into = r.weak
	}
	into[in.Key] = append(into[in.Key], porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end})
}

// Count is how many operations were recorded.
func (r *Recorder) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Check returns the keys whose histories no single store can explain, and those that took longer to
// check than timeout. Reads of weak levels are not looked at. Nobody may record meanwhile.
func (r *Recorder) Check(timeout time.Duration) (wrong, undecided []string) {
	for key, operations := range r.operations {
		switch porcupine.CheckOperationsTimeout(recordModel(), operations, timeout) {
		case porcupine.Illegal:
			wrong = append(wrong, key)
		case porcupine.Unknown:
			undecided = append(undecided, key)
		}
	}
	return wrong, undecided
}
