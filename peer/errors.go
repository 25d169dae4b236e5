package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"versiond/certs"
	"versiond/model"
	"versiond/naming"
)

// between are the codes that mean something else of another node than of this one. A node that knows of no
// leader, or was removed, did nothing: whoever asked it looks for the leader elsewhere. And a node whose
// secret is not taken must not tell its client that the client's token was not. Nor did a node of another release do
// anything that does not know the form of what it was sent.
var between = map[string]error{
	"no_leader":              model.ErrNotLeader,
	"node_removed":           model.ErrNotLeader,
	"unsupported_media_type": model.ErrNotLeader,
	"unauthorized":           model.ErrSecretsDiffer,
	"tls_required":           model.ErrTLSFailed,
}

// errorOf turns the code of another node's problem answer back into the error that it was there.
func errorOf(code string) error {
	if err, other := between[code]; other {
		return err
	}
	return model.ErrorOf(code)
}

func (r request) problemError(status int, header http.Header, body []byte) error {
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
	if err := r.publicPort(status, problem.Code, header); err != nil && !r.write {
		return err
	}
	if len(problem.Errors) > 0 {
		return &model.ValidationError{Fields: problem.Errors}
	}
	if problem.Code == "not_found" && r.notFound != nil {
		return model.Explain(r.notFound, problem.Detail)
	}
	if problem.Code == "unauthorized" {
		problem.Detail = fmt.Sprintf("the nodes' cluster.secret differ: %s answers: %s", r.address, problem.Detail)
	}
	switch kind := errorOf(problem.Code); {
	case errors.Is(kind, model.ErrStoreUnavailable): // users are to read what that node's database or disk says
		return &model.StoreError{Detail: r.address + ": " + problem.Detail}
	case kind != nil:
		return model.Explain(kind, problem.Detail) // the other node's own words beside the error that they explain
	}
	return fmt.Errorf("%w: %s answered %d %s: %s", model.ErrInternal, r.address, status, problem.Code, problem.Detail)
}

// failed translates an exchange that did not come to an answer. Only while there was no connection
// to send it on is it certain that the other node did nothing.
func (r request) failed(err error, sent bool) error {
	sent = sent && certs.Refused(err) == nil
	switch {
	case r.write && !sent:
		return fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	case r.write:
		return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	return &Unanswered{Address: r.address, Cause: err, sent: sent}
}

// Unanswered is the error of a question that nobody answered. It matches model.ErrNodeUnreachable, ErrNoAnswer,
// ErrNeverSent when it did not reach anybody, and ErrTLSFailed when that is why.
type Unanswered struct {
	Address string
	Cause   error
	sent    bool
}

func (e *Unanswered) Error() string {
	return fmt.Sprintf("%v: %s: %s", model.ErrNodeUnreachable, e.Address, e.Reason())
}

// Reason returns the cause in few words: what was asked of whom stands beside it.
func (e *Unanswered) Reason() string {
	var inURL *url.Error
	var inNetwork *net.OpError
	var inName *net.DNSError
	if failure := certs.Refused(e.Cause); failure != nil {
		return failure.Error()
	}
	switch {
	case errors.Is(e.Cause, context.DeadlineExceeded), errors.Is(e.Cause, os.ErrDeadlineExceeded):
		return "it did not answer in time"
	case errors.As(e.Cause, &inName):
		return inName.Err
	case errors.As(e.Cause, &inNetwork):
		return inNetwork.Err.Error()
	case errors.As(e.Cause, &inURL):
		return inURL.Err.Error()
	}
	return e.Cause.Error()
}

func (e *Unanswered) Unwrap() error { return e.Cause }

// Is makes errors.Is find the sentinels.
func (e *Unanswered) Is(target error) bool {
	return target == model.ErrNodeUnreachable || target == model.ErrNoAnswer || target == model.ErrNeverSent && !e.sent ||
		target == model.ErrTLSFailed && certs.Refused(e.Cause) != nil
}

// PublicPort is the error of a question that came to the public port of a node. It matches model.ErrNodeUnreachable.
type PublicPort struct{ Node, Address string }

func (e *PublicPort) Error() string {
	return fmt.Sprintf("%s is the public port of %s, and not its peer port", e.Address, e.Node)
}

func (e *PublicPort) Unwrap() error { return model.ErrNodeUnreachable }

// publicPort returns the error of an answer that only a public port gives to what lives on a peer port: nothing
// lives there, says a node that gives its name.
func (r request) publicPort(status int, code string, header http.Header) error {
	node := header.Get("X-Versiond-Node")
	if status != http.StatusNotFound || code != "no_such_path" || !naming.ValidNodeID(node) {
		return nil
	}
	return &PublicPort{Node: node, Address: r.address}
}
