package client

import (
	"errors"
	"slices"
	"time"
)

// Code is what programs know an error by. It is an error itself, for errors.Is.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

// What nodes answer. The API's description says when.
const (
	ErrAlreadyExists        Code = "already_exists"
	ErrAddressInUse         Code = "address_in_use"
	ErrBatchRefused         Code = "batch_refused"
	ErrBodyTooLarge         Code = "body_too_large"
	ErrForbidden            Code = "forbidden"
	ErrIDInUse              Code = "id_in_use"
	ErrIdempotencyKeyReused Code = "idempotency_key_reused"
	ErrInternal             Code = "internal"
	ErrInvalidRequest       Code = "invalid_request"
	ErrNoLeader             Code = "no_leader"
	ErrNodeRemoved          Code = "node_removed"
	ErrNodeUnreachable      Code = "node_unreachable"
	ErrNotCaughtUp          Code = "not_caught_up"
	ErrNotDone              Code = "not_done"
	ErrNotFound             Code = "not_found"
	ErrNotLeader            Code = "not_leader"
	ErrNotNewer             Code = "not_newer"
	ErrQuorumAtRisk         Code = "quorum_at_risk"
	ErrRevisionGone         Code = "revision_gone"
	ErrRevisionMismatch     Code = "revision_mismatch"
	ErrStoreUnavailable     Code = "store_unavailable"
	ErrTLSRequired          Code = "tls_required"
	ErrTimeout              Code = "timeout"
	ErrTooManyRequests      Code = "too_many_requests"
	ErrUnauthorized         Code = "unauthorized"
	ErrUnknownHost          Code = "unknown_host"
	ErrWrongNode            Code = "wrong_node"

	// ErrOutcomeUnknown is also that of a write to which no answer came.
	ErrOutcomeUnknown Code = "outcome_unknown"
	// ErrUnavailable is that of a request which no node has answered or taken, a proxy that reaches none included. It also matches every code that says:
	// nothing was done, try later.
	ErrUnavailable Code = "unavailable"
	// ErrNotVersiond is that of an answer which is not a node's.
	ErrNotVersiond Code = "not_versiond"
)

// later are the codes that ErrUnavailable matches.
var later = []Code{
	ErrUnavailable, ErrNoLeader, ErrNotLeader, ErrStoreUnavailable, ErrNotCaughtUp, ErrNodeRemoved, ErrTooManyRequests, ErrTimeout,
}

// FieldError describes what is wrong with one field or parameter, and what would be right.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error is a request that was not done, or of which nobody knows whether it was.
type Error struct {
	Code Code
	// Status is that of the answer, 0 when none came.
	Status int
	// Detail describes in words what is wrong. The words may change; programs go by Code.
	Detail string
	// Fields has one entry for each wrong field, parameter or header of an ErrInvalidRequest.
	Fields []FieldError
	// Results has, for an ErrBatchRefused, one entry for each item of the batch.
	Results []Result
	// Revision is that of the record that stood in the way, 0 where the answer does not tell. Of an ErrRevisionGone it is
	// the oldest one from which nothing is missing.
	Revision uint64
	// RetryAfter is how long the node asked to be left alone.
	RetryAfter time.Duration
	// RequestID is what the node's log has the request under, and Node the node that answered.
	RequestID, Node string
	// Address is the address that was asked.
	Address string

	// neverSent reports whether the request cannot have reached anybody.
	neverSent bool
	cause     error
}

// Error returns the code, the detail, and who said so.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Detail
	if e.Node != "" {
		text += " (" + e.Node + ")"
	}
	return text
}

// Is reports whether target is the error's code, or ErrUnavailable and the code is one that says: try later.
func (e *Error) Is(target error) bool {
	code, is := target.(Code)
	return is && (code == e.Code || code == ErrUnavailable && slices.Contains(later, e.Code))
}

// Unwrap returns what kept an answer from coming, such as context.Canceled.
func (e *Error) Unwrap() error { return e.cause }

// RevisionOf returns the revision of the record that stood in the way of a request, 0 where that is not known.
func RevisionOf(err error) uint64 {
	var e *Error
	if errors.As(err, &e) {
		return e.Revision
	}
	return 0
}
