// Package captured keeps what programs and logs write, for tests that read it meanwhile.
package captured

import (
	"bytes"
	"sync"
)

// Buffer may be written to and read from any goroutine.
type Buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns all that was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
