package model

import (
	"context"
	"errors"
)

// codes are what programs know errors by, in answers, between nodes and in metrics. The first match
// counts, so what must not be mistaken for anything else stands first: a write that may have happened is
// never one that was refused. Of the errors of one code the first is what the code stands for elsewhere.
var codes = []struct {
	err  error
	code string
}{
	{ErrOutcomeUnknown, "outcome_unknown"},
	{ErrNotFound, "not_found"},
	{ErrAlreadyExists, "already_exists"},
	{ErrRevisionMismatch, "revision_mismatch"},
	{ErrNotNewer, "not_newer"},
	{ErrRevisionGone, "revision_gone"},
	{ErrIdempotencyKeyReused, "idempotency_key_reused"},
	{ErrNotDone, "not_done"},
	{ErrInvalid, "invalid_request"},
	{ErrUnauthorized, "unauthorized"},
	{ErrForbidden, "forbidden"},
	{ErrNoSuchMember, "not_found"},
	{ErrIDInUse, "id_in_use"},
	{ErrAddressInUse, "address_in_use"},
	{ErrQuorumAtRisk, "quorum_at_risk"},
	{ErrNodeUnreachable, "node_unreachable"},
	{ErrNoSuccessor, "node_unreachable"},
	{ErrWrongNode, "wrong_node"},
	{ErrTooManyRequests, "too_many_requests"},
	{ErrNoLeader, "no_leader"},
	{ErrNotLeader, "not_leader"},
	{ErrStoreUnavailable, "store_unavailable"},
	{ErrLogUnavailable, "store_unavailable"},
	{ErrNotCaughtUp, "not_caught_up"},
	{ErrNodeRemoved, "node_removed"},
	{ErrTimeout, "timeout"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "timeout"},
	{ErrInternal, "internal"},
}

// Code returns the code of an error, "" for one that has none.
func Code(err error) string {
	for _, each := range codes {
		if errors.Is(err, each.err) {
			return each.code
		}
	}
	return ""
}

// ErrorOf returns the error that a code stands for, nil for a code that is not known.
func ErrorOf(code string) error {
	for _, each := range codes {
		if each.code == code {
			return each.err
		}
	}
	return nil
}
