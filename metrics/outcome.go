package metrics

import (
	"slices"

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

// outcomes are those of writes that are counted each for itself, by the codes of the public API.
var outcomes = []string{
	"outcome_unknown", "not_found", "already_exists", "revision_mismatch", "not_newer", "not_done", "idempotency_key_reused", "too_many_requests",
	"no_leader", "store_unavailable", "not_caught_up", "node_removed", "timeout",
}

func outcomeOf(err error) string {
	code := model.Code(err)
	switch {
	case err == nil:
		return outcomeDone
	case code == "not_leader":
		return "no_leader"
	case slices.Contains(outcomes, code):
		return code
	}
	return outcomeFailed
}
