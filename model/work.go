package model

import "context"

type workKey struct{}

// WithWork returns a context for long work, of which done is called whenever a part is done.
func WithWork(ctx context.Context, done func()) context.Context {
	return context.WithValue(ctx, workKey{}, done)
}

// WorkDone notes that a part of the work that ctx is for is done.
func WorkDone(ctx context.Context) {
	if done, ok := ctx.Value(workKey{}).(func()); ok {
		done()
	}
}
