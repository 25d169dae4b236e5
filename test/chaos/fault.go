package chaos

import (
	"slices"
	"time"
)

// Mode is where the nodes of a run keep their records.
type Mode string

// The modes of a run.
const (
	Embedded Mode = "embedded"
	MySQL    Mode = "mysql"
)

// Fault is one way to disturb a cluster. The package comment says how to write one.
type Fault struct {
	// Name is what tables call it.
	Name string
	// Promise is one sentence of the documentation: what users see while it lasts.
	Promise string
	// Modes are those that it fits; none are all.
	Modes []Mode
	// Lasts is how long the cluster stays disturbed after Inject has returned.
	Lasts time.Duration
	// LeastDuring is the fewest writes that must be acknowledged between the beginning of Inject and the
	// beginning of heal.
	LeastDuring int
	// WritesWithin bounds the time without an acknowledged write: from QuorumIsBack on where the fault
	// calls it, and otherwise the longest one in the round. 0 is defaultWritesWithin.
	WritesWithin time.Duration
	// Rare faults take long: after the first time they come in one of four passes through all faults.
	Rare bool
	// Times is how often it comes in each pass; once when 0.
	Times int
	// WrongLists is set when lists may lack rows, or have others, while it lasts: the newest version is asked for by ids then.
	WrongLists bool
	// Builds are what it runs nodes with, beside the usual one.
	Builds []Build
	// Short faults are part of the selection that every test run makes.
	Short bool
	// Inject disturbs the cluster, and returns what heals it.
	Inject func(r *Round) (heal func())
}

// All returns every fault there is.
func All() []Fault {
	return slices.Concat(
		processFaults(),
		networkFaults(),
		clockFaults(),
		diskFaults(),
		storeFaults(),
		transactionFaults(),
		redisFaults(),
		directoryFaults(),
		damageFaults(),
		harmFaults(),
		memberFaults(),
		backupFaults(),
		overloadFaults(),
		stepFaults(),
	)
}

// For returns those of the faults that fit a mode.
func For(mode Mode, faults []Fault) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool {
		return len(f.Modes) > 0 && !slices.Contains(f.Modes, mode)
	})
}
