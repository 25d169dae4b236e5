package chaos

import (
	"fmt"
	"time"

	"versiond/test/harness/cluster"
)

// outcome is what one round measured.
type outcome struct {
	operations, acknowledged, unknown, refused int
	// during is how many writes were acknowledged while the fault lasted.
	during int
	// gap is the longest time without an acknowledged write, heal how long after healing had begun all
	// nodes were ready.
	gap, heal time.Duration
	// back is how long after a quorum was back the first write was acknowledged; 0 when none was lost.
	back time.Duration
	// why is what became of writes in the longest gap.
	why string
	// late is how late the machine was at most.
	late time.Duration
	// changes is how many there were, watched how many of them watchers have seen, and gone how often these were told that some
	// are gone; latest is how many questions for the newest version were answered.
	changes, watched, gone, latest int
}

// count takes the load's work of the round, and how many operations were recorded beside it.
func (o *outcome) count(before, after cluster.Counts, recorded int) {
	o.acknowledged = after.Acknowledged - before.Acknowledged
	o.unknown = after.Unknown - before.Unknown
	o.refused = after.Refused - before.Refused
	o.operations = o.acknowledged + o.unknown + o.refused + after.Reads - before.Reads + recorded
}

// withoutWrites is the time that a fault's WritesWithin bounds.
func (o outcome) withoutWrites() time.Duration {
	if o.back > 0 {
		return o.back
	}
	return o.gap
}

// whichTime returns what withoutWrites is, in words.
func (o outcome) whichTime() string {
	if o.back > 0 {
		return fmt.Sprintf("writes were taken again %s after a quorum was back", o.back)
	}
	return fmt.Sprintf("no write was acknowledged for %s", o.gap)
}

func (o outcome) String() string {
	return fmt.Sprintf("%d operations; writes: %d acknowledged (%d while it lasted), %d unknown, %d refused; longest gap %s, writes again after %s, healed in %s; %d changes, %d told to watchers, who lack some %d times; %d questions for the newest; timers up to %s late",
		o.operations, o.acknowledged, o.during, o.unknown, o.refused, short(o.gap), short(o.withoutWrites()), short(o.heal), o.changes, o.watched, o.gone, o.latest, short(o.late))
}

func short(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
