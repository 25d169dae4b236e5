package metrics

import (
	"context"
	"errors"

	"versiond/model"
)

// What an outcome is called that is no error, one that nobody foresaw, and nothing to do.
const (
	outcomeDone    = "done"
	outcomeFailed  = "failed"
	outcomeSkipped = "skipped"
	// Of a check: the rows are those that the log makes, or others.
	outcomeSame    = "same"
	outcomeDiffers = "differs"
)

// outcomes name errors as the public API does. The first match counts: what may have been done must
// not be counted as refused.
var outcomes = []struct {
	err  error
	name string
}{
	{model.ErrOutcomeUnknown, "outcome_unknown"},
	{model.ErrNotFound, "not_found"},
	{model.ErrAlreadyExists, "already_exists"},
	{model.ErrRevisionMismatch, "revision_mismatch"},
	{model.ErrNotDone, "not_done"},
	{model.ErrIdempotencyKeyReused, "idempotency_key_reused"},
	{model.ErrTooManyRequests, "too_many_requests"},
	{model.ErrNoLeader, "no_leader"},
	{model.ErrNotLeader, "no_leader"},
	{model.ErrStoreUnavailable, "store_unavailable"},
	{model.ErrLogUnavailable, "store_unavailable"},
	{model.ErrNotCaughtUp, "not_caught_up"},
	{model.ErrNodeRemoved, "node_removed"},
	{model.ErrTimeout, "timeout"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "timeout"},
}

func outcomeOf(err error) string {
	if err == nil {
		return outcomeDone
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.name
		}
	}
	return outcomeFailed
}
