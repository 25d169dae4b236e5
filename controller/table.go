package controller

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"versiond/model"
)

// Errors that arise in HTTP itself, before any service is asked.
var (
	errNoSuchPath       = errors.New("nothing lives at this path; /swagger/index.html lists what does")
	errNoSuchPeerPath   = errors.New("nothing lives at this path of the peer port, where nodes ask each other; clients use a node's public port, 8081 to 8083 where nothing else is set")
	errMethodNotAllowed = errors.New("this path does not take this method; the Allow header lists those it takes")
	errBodyTooLarge     = errors.New("the body is larger than this path takes")
	errMediaType        = errors.New("the body is not of a type that this path takes")
	errCrossSite        = errors.New("this request changes something and a browser sent it from another site; if that is the node's own page behind a proxy, let the proxy pass on the Host header, or name the page's origin in server.trustedOrigins")
	errUnknownHost      = errors.New("this node is not called so")
	errBatchRefused     = errors.New("an item of the batch was refused, so nothing was changed")
	errPanicked         = errors.New("something broke while the request was served; the node's log says what, under this request ID")
)

// translation is how one error is answered.
type translation struct {
	err    error
	status int
	// code is for errors that only HTTP knows; of the others it is model.Code.
	code string
	// retryAfterSeconds is sent as Retry-After when not zero. It promises that nothing was changed.
	retryAfterSeconds int
	// says is for users where the text of err is not.
	says string
	// told marks errors whose wrapped text is written for users: it names members and addresses.
	// Of the others users see the sentinel's text alone, never a driver's, but for what a database answered.
	told bool
}

// translations is the one place where errors become HTTP, under the codes that model has for them. The
// first match counts, so what must not be mistaken for anything else stands first: a write that may have
// happened is never retryable.
var translations = []translation{
	{err: model.ErrOutcomeUnknown, status: http.StatusGatewayTimeout},
	{err: model.ErrNotFound, status: http.StatusNotFound},
	{err: model.ErrAlreadyExists, status: http.StatusConflict},
	{err: model.ErrRevisionMismatch, status: http.StatusPreconditionFailed},
	{err: model.ErrNotNewer, status: http.StatusConflict},
	{err: model.ErrRevisionGone, status: http.StatusGone, told: true},
	{err: model.ErrIdempotencyKeyReused, status: http.StatusUnprocessableEntity},
	{err: model.ErrNotDone, status: http.StatusFailedDependency},
	{err: errBatchRefused, status: http.StatusConflict, code: "batch_refused", told: true},
	{err: model.ErrInvalid, status: http.StatusBadRequest},

	{err: errNoSuchPath, status: http.StatusNotFound, code: "no_such_path"},
	{err: errNoSuchPeerPath, status: http.StatusNotFound, code: "no_such_path"},
	{err: errMethodNotAllowed, status: http.StatusMethodNotAllowed, code: "method_not_allowed"},
	{err: errBodyTooLarge, status: http.StatusRequestEntityTooLarge, code: "body_too_large"},
	{err: errMediaType, status: http.StatusUnsupportedMediaType, code: "unsupported_media_type"},
	{err: errCrossSite, status: http.StatusForbidden, code: "cross_site"},
	{err: errUnknownHost, status: http.StatusForbidden, code: "unknown_host"},

	{err: model.ErrUnauthorized, status: http.StatusUnauthorized},
	{err: model.ErrForbidden, status: http.StatusForbidden},

	{err: model.ErrNoSuchMember, status: http.StatusNotFound},
	{err: model.ErrIDInUse, status: http.StatusConflict, told: true},
	{err: model.ErrAddressInUse, status: http.StatusConflict, told: true},
	{err: model.ErrQuorumAtRisk, status: http.StatusConflict, told: true},
	{err: model.ErrNodeUnreachable, status: http.StatusBadGateway, told: true},
	{err: model.ErrNoSuccessor, status: http.StatusBadGateway, told: true},
	{err: model.ErrWrongNode, status: http.StatusBadGateway, told: true},

	{err: model.ErrTooManyRequests, status: http.StatusTooManyRequests, retryAfterSeconds: 1},
	{err: model.ErrNoLeader, status: http.StatusServiceUnavailable, retryAfterSeconds: 1},
	{err: model.ErrNotLeader, status: http.StatusServiceUnavailable, retryAfterSeconds: 1},
	{err: model.ErrStoreUnavailable, status: http.StatusServiceUnavailable, retryAfterSeconds: 2},
	{err: model.ErrLogUnavailable, status: http.StatusServiceUnavailable, retryAfterSeconds: 2},
	{err: model.ErrNotCaughtUp, status: http.StatusServiceUnavailable, retryAfterSeconds: 2},
	{err: model.ErrNodeRemoved, status: http.StatusServiceUnavailable, retryAfterSeconds: 30},

	{err: model.ErrTimeout, status: http.StatusGatewayTimeout},
	{err: context.DeadlineExceeded, status: http.StatusGatewayTimeout, says: "the answer was not there in time"},
	{err: context.Canceled, status: http.StatusGatewayTimeout, says: "the answer was not there in time"},
	{err: errPanicked, status: http.StatusInternalServerError, code: "internal"},
}

// afterUnknown has, for the routes that change something, what to do when nobody knows whether they did.
var afterUnknown = map[string]string{
	"/version":        "read the record before you try again, and send If-Match or the same Idempotency-Key",
	"/version/:id":    "read the record before you try again, and send If-Match or the same Idempotency-Key",
	"/version/batch":  "read the records before you try again, and give items ifMatch or send the same Idempotency-Key",
	"/restore":        "see with GET /version whether its records are there before you try again, which would undo what was written since",
	"/join/:id/:addr": "see GET /peers before you try again",
	"/peer/:id":       "see GET /peers before you try again",
	"/leader/:id":     "see GET /leader before you try again",
}

// unknown answers what nobody foresaw; Serve logs the error itself.
var unknown = translation{err: model.ErrInternal, status: http.StatusInternalServerError, code: model.Code(model.ErrInternal)}

// translate finds how err is answered. known is false for an error that the table does not have.
func translate(err error) (t translation, known bool) {
	for _, each := range translations {
		if errors.Is(err, each.err) {
			each.code = cmp.Or(each.code, model.Code(each.err))
			return each, true
		}
	}
	return unknown, false
}
