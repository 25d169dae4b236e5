package peer

import (
	"encoding/json"
	"fmt"

	"versiond/model"
)

// codes turns the code of another node's problem answer back into the error that it was there. It is
// the counterpart of the controller's table.
var codes = map[string]error{
	"invalid_request":   model.ErrInvalid,
	"not_found":         model.ErrNotFound,
	"id_in_use":         model.ErrIDInUse,
	"address_in_use":    model.ErrAddressInUse,
	"quorum_at_risk":    model.ErrQuorumAtRisk,
	"node_unreachable":  model.ErrNodeUnreachable,
	"wrong_node":        model.ErrWrongNode,
	"unauthorized":      model.ErrSecretsDiffer,
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

func (r request) problemError(status int, body []byte) error {
	var problem struct {
		Code   string             `json:"code"`
		Detail string             `json:"detail"`
		Errors []model.FieldError `json:"errors"`
	}
	err := json.Unmarshal(body, &problem)
	switch {
	case r.write && (err != nil || problem.Code == ""): // no node has said this: the request may have reached one
		return fmt.Errorf("%w: %s answered with status %d and no problem description", model.ErrOutcomeUnknown, r.address, status)
	case err != nil:
		return fmt.Errorf("%w: %s answered with status %d and no problem description", model.ErrWrongNode, r.address, status)
	}
	if len(problem.Errors) > 0 {
		return &model.ValidationError{Fields: problem.Errors}
	}
	if problem.Code == "not_found" && r.notFound != nil {
		return &explained{kind: r.notFound, detail: problem.Detail}
	}
	if problem.Code == "unauthorized" {
		problem.Detail = fmt.Sprintf("the nodes' cluster.secret differ: %s answers: %s", r.address, problem.Detail)
	}
	switch kind, ok := codes[problem.Code]; {
	case kind == model.ErrStoreUnavailable: // users are to read what that node's database or disk says
		return &model.StoreError{Detail: r.address + ": " + problem.Detail}
	case ok:
		return &explained{kind: kind, detail: problem.Detail}
	}
	return fmt.Errorf("%w: %s answered %d %s: %s", model.ErrInternal, r.address, status, problem.Code, problem.Detail)
}

// failed translates an exchange that did not come to an answer. Only while there was no connection
// to send it on is it certain that the other node did nothing.
func (r request) failed(err error, sent bool) error {
	switch {
	case r.write && !sent:
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	case r.write:
		return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	unanswered := fmt.Errorf("%w: %s: %w: %w", model.ErrNodeUnreachable, r.address, model.ErrNoAnswer, err)
	if !sent {
		return fmt.Errorf("%w: %w", model.ErrNeverSent, unanswered)
	}
	return unanswered
}
