package group

// Signal is there or not: whoever receives it takes it away.
type Signal chan struct{}

// NewSignal makes a Signal that is not there.
func NewSignal() Signal { return make(Signal, 1) }

// Set has it be there. It never waits.
func (s Signal) Set() {
	select {
	case s <- struct{}{}:
	default:
	}
}
