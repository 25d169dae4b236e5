package group

// Aside runs do on a goroutine of its own, and reports whether it came to its end before enough did, which is a channel
// like that of a context's Done or of a timer. What hangs is left behind and goes on by itself: what it is to hand over,
// only a caller that was told true may read.
func Aside[T any](enough <-chan T, do func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
		return true
	case <-enough:
		return false
	}
}
