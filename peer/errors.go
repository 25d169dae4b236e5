package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"versiond/model"
)

// codes turns the code of another node's problem answer back into the error that it was there. It is
// the counterpart of the controller's table.
var codes = map[string]error{
	"invalid_request":   model.ErrInvalid,
	"not_found":         model.ErrNotFound,
	"no_such_member":    model.ErrNoSuchMember,
	"id_in_use":         model.ErrIDInUse,
	"address_in_use":    model.ErrAddressInUse,
	"quorum_at_risk":    model.ErrQuorumAtRisk,
	"node_unreachable":  model.ErrNodeUnreachable,
	"wrong_node":        model.ErrWrongNode,
	"too_many_requests": model.ErrTooManyRequests,
	"no_leader":         model.ErrNotLeader,
	"not_leader":        model.ErrNotLeader,
	"store_unavailable": model.ErrStoreUnavailable,
	"not_caught_up":     model.ErrNotCaughtUp,
	"node_removed":      model.ErrNotLeader,
	"outcome_unknown":   model.ErrOutcomeUnknown,
	"timeout":           model.ErrTimeout,
}

// explained keeps the other node's own words beside the error that they explain.
type explained struct {
	kind   error
	detail string
}

func (e *explained) Error() string { return e.detail }
func (e *explained) Unwrap() error { return e.kind }

func problemError(address string, status int, body []byte) error {
	var problem struct {
		Code   string             `json:"code"`
		Detail string             `json:"detail"`
		Errors []model.FieldError `json:"errors"`
	}
	if err := json.Unmarshal(body, &problem); err != nil {
		return fmt.Errorf("%w: %s answered with status %d and no problem description", model.ErrWrongNode, address, status)
	}
	if len(problem.Errors) > 0 {
		return &model.ValidationError{Fields: problem.Errors}
	}
	if kind, ok := codes[problem.Code]; ok {
		return &explained{kind: kind, detail: problem.Detail}
	}
	return fmt.Errorf("%w: %s answered %d %s: %s", model.ErrInternal, address, status, problem.Code, problem.Detail)
}

// failed translates an exchange that did not come to an answer. Only when no connection could be made
// is it certain that the other node did nothing.
func (r request) failed(err error) error {
	var dial *net.OpError
	notSent := errors.As(err, &dial) && dial.Op == "dial"
	switch {
	case r.write && notSent:
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	case r.write:
		return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !notSent:
		return fmt.Errorf("%w: %s did not answer in time: %w", model.ErrNodeUnreachable, r.address, err)
	}
	return fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, r.address, err)
}
