package snapshot

import (
	"context"
	"time"

	"versiond/group"
	"versiond/model"
)

// The pauses leave the machine to writes and reads: a snapshot takes about a fifth of one processor,
// and of a million records still well under a minute, also where everything takes longer than usual.
// Longer pauses would make the store keep more of what changes beside the view.
const (
	viewPauseShare = 4
	viewPauseMin   = 2 * time.Millisecond
	viewPauseMax   = 32 * time.Millisecond
)

// pacedView rests before each page but the first, in proportion to what the page before it took with
// all that was done to it.
type pacedView struct {
	View
	began time.Time // when the work on the page before began, zero before the first
}

// Paced returns a view that is read in no hurry.
func Paced(view View) View { return &pacedView{View: view} }

// Page rests and reads; a context that ends during the rest returns its error.
func (v *pacedView) Page(ctx context.Context, after string, limit int) ([]model.Version, error) {
	if err := v.rest(ctx); err != nil {
		return nil, err
	}
	return v.View.Page(ctx, after, limit)
}

// DedupRecords does as Page does.
func (v *pacedView) DedupRecords(ctx context.Context, after uint64, limit int) ([]model.DedupRecord, error) {
	if err := v.rest(ctx); err != nil {
		return nil, err
	}
	return v.View.DedupRecords(ctx, after, limit)
}

// ChangesAfter does as Page does.
func (v *pacedView) ChangesAfter(ctx context.Context, revision uint64, limit int) ([]model.Change, error) {
	if err := v.rest(ctx); err != nil {
		return nil, err
	}
	return v.View.ChangesAfter(ctx, revision, limit)
}

func (v *pacedView) rest(ctx context.Context) error {
	if !v.began.IsZero() {
		group.Pause(ctx, viewPause(time.Since(v.began)))
	}
	v.began = time.Now()
	return ctx.Err()
}

func viewPause(took time.Duration) time.Duration {
	return min(max(viewPauseShare*took, viewPauseMin), viewPauseMax)
}
