package controller_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/routers"
)

// Clients act on status, code and Retry-After: a change here breaks them. Retry-After promises that
// nothing was changed, so only refusals may carry it.
func TestErrorsOfTheService(t *testing.T) {
	for _, c := range []struct {
		err        error
		status     int
		code       string
		retryAfter bool
	}{
		{model.ErrNotFound, 404, "not_found", false},
		{model.ErrAlreadyExists, 409, "already_exists", false},
		{model.ErrRevisionMismatch, 412, "revision_mismatch", false},
		{model.ErrInvalid, 400, "invalid_request", false},
		{&model.ValidationError{Fields: []model.FieldError{{Field: "id", Detail: "x"}}}, 400, "invalid_request", false},
		{model.ErrNoSuchMember, 404, "not_found", false},
		{model.ErrIDInUse, 409, "id_in_use", false},
		{model.ErrAddressInUse, 409, "address_in_use", false},
		{model.ErrQuorumAtRisk, 409, "quorum_at_risk", false},
		{model.ErrNodeUnreachable, 502, "node_unreachable", false},
		{model.ErrWrongNode, 502, "wrong_node", false},
		{model.ErrTooManyRequests, 429, "too_many_requests", true},
		{model.ErrNoLeader, 503, "no_leader", true},
		{model.ErrNotLeader, 503, "not_leader", true},
		{model.ErrStoreUnavailable, 503, "store_unavailable", true},
		{model.ErrLogUnavailable, 503, "store_unavailable", true},
		{model.ErrNotCaughtUp, 503, "not_caught_up", true},
		{model.ErrNodeRemoved, 503, "node_removed", true},
		{model.ErrOutcomeUnknown, 504, "outcome_unknown", false},
		{fmt.Errorf("%w: %w", model.ErrNoLeader, model.ErrOutcomeUnknown), 504, "outcome_unknown", false},
		{context.DeadlineExceeded, 504, "outcome_unknown", false},
		{context.Canceled, 504, "outcome_unknown", false},
		{model.ErrTimeout, 504, "timeout", false},
		{model.ErrInternal, 500, "internal", false},
		{errors.New("dial tcp: secret"), 500, "internal", false},
	} {
		n := mustNode(t)
		n.service.fault = fmt.Errorf("service: secret driver text: %w", c.err)
		answer := n.do(t, requestThatMayEndIn(c.code))
		problem := requireProblem(t, answer, c.status, c.code)
		require.Equal(t, c.retryAfter, answer.Header().Get("Retry-After") != "", c.code)
		requireLabels(t, answer, "7")
		if c.status != 409 && c.status != 502 {
			require.NotContains(t, problem.Detail, "secret")
		}
	}
}

func requestThatMayEndIn(code string) request {
	switch code {
	case "already_exists":
		return request{method: http.MethodPost, path: "/version", header: map[string]string{"Content-Type": "application/json"}, body: `{"id":"a","versionNo":"1","platform":"p"}`}
	case "id_in_use", "address_in_use", "node_unreachable":
		return request{method: http.MethodPost, path: "/join/node4/127.0.0.1:7004"}
	case "quorum_at_risk":
		return request{method: http.MethodDelete, path: "/peer/node1"}
	}
	return request{method: http.MethodDelete, path: "/version/known"}
}

// What the database of a node answers is for whoever asked to read. In doubt about a write, that comes first.
func TestDatabasesOwnWordsReachTheClient(t *testing.T) {
	n := mustNode(t)
	answer := &model.StoreError{Detail: "answers: 1290 read-only", Cause: errors.New("secret")}
	n.service.fault = fmt.Errorf("applying: %w", answer)
	require.Equal(t, "answers: 1290 read-only", requireProblem(t, n.get(t, "/version/known"), 503, "store_unavailable").Detail)
	n.service.fault = fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, answer)
	detail := requireProblem(t, n.send(t, http.MethodDelete, "/version/known", ""), 504, "outcome_unknown").Detail
	require.Contains(t, detail, model.ErrOutcomeUnknown.Error())
	require.NotContains(t, detail, "1290")
}

// Words are for the answer that they explain: of a write in doubt, what another node said of itself is not.
func TestWordsExplainTheirOwnAnswerAlone(t *testing.T) {
	n := mustNode(t)
	n.service.fault = fmt.Errorf("joining: %w", model.Explain(model.ErrNoSuchMember, "node9 was removed yesterday"))
	require.Equal(t, "node9 was removed yesterday", requireProblem(t, n.send(t, http.MethodDelete, "/peer/node9", ""), 404, "not_found").Detail)
	n.service.fault = fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, model.Explain(model.ErrNotLeader, "no leader is known"))
	require.NotContains(t, requireProblem(t, n.send(t, http.MethodDelete, "/peer/node9", ""), 504, "outcome_unknown").Detail, "no leader")
}

// A read whose context ended changed nothing, and may be sent again.
func TestExpiredReadIsATimeout(t *testing.T) {
	for _, path := range []string{"/version/known", "/version", "/leader", "/peers"} {
		n := mustNode(t)
		n.service.fault = context.DeadlineExceeded
		requireProblem(t, n.get(t, path), http.StatusGatewayTimeout, "timeout")
	}
}

// A join or removal that expired may have happened, whatever its method.
func TestExpiredMembershipChangeIsUnknown(t *testing.T) {
	n := mustNode(t)
	n.service.fault = context.DeadlineExceeded
	requireProblem(t, n.get(t, "/join/node4/127.0.0.1:7004"), http.StatusGatewayTimeout, "outcome_unknown")
	requireProblem(t, n.send(t, http.MethodDelete, "/peer/node1", ""), http.StatusGatewayTimeout, "outcome_unknown")
	requireProblem(t, n.send(t, http.MethodPost, "/leader/node1", ""), http.StatusGatewayTimeout, "outcome_unknown")
}

// Which member or address is in the way is told: the operator needs it.
func TestMembershipErrorsTellWhich(t *testing.T) {
	n := mustNode(t)
	n.service.fault = fmt.Errorf("%w: node4 answers at 10.0.0.4:7004", model.ErrIDInUse)
	problem := requireProblem(t, n.send(t, http.MethodPost, "/join/node4/10.0.0.5:7004", ""), http.StatusConflict, "id_in_use")
	require.Contains(t, problem.Detail, "10.0.0.4:7004")
}

// An error that nobody foresaw is logged once, under the request ID that the client sees.
func TestUnknownErrorIsLoggedOnce(t *testing.T) {
	n := mustNode(t)
	n.service.fault = errors.New("table is full")
	answer := n.do(t, request{method: http.MethodGet, path: "/version/known", header: map[string]string{"X-Request-ID": "trace-1"}})
	problem := requireProblem(t, answer, http.StatusInternalServerError, "internal")
	require.Equal(t, "trace-1", problem.RequestID)
	require.Equal(t, 1, strings.Count(n.log.String(), "\n"))
	require.Contains(t, n.log.String(), "table is full")
	require.Contains(t, n.log.String(), "requestID=trace-1")
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	n := mustNode(t)
	n.service.panics = "broken invariant"
	answer := n.get(t, "/version/known")
	problem := requireProblem(t, answer, http.StatusInternalServerError, "internal")
	requireLabels(t, answer, "7")
	require.NotContains(t, problem.Detail, "broken invariant")
	require.Equal(t, 1, strings.Count(n.log.String(), "\n"))
	require.Contains(t, n.log.String(), "broken invariant")
	require.Contains(t, n.log.String(), "fake_test.go", "the stack shows where")

	n.service.panics = http.ErrAbortHandler
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { n.get(t, "/version/known") })
}

// A request ID that would break a log line or a header is replaced.
func TestRequestID(t *testing.T) {
	n := mustNode(t)
	for sent, kept := range map[string]bool{"abc-123": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "a b": false, "a\x00b": false, "é": false, "": false} {
		answer := n.do(t, request{method: http.MethodGet, path: "/livez", header: map[string]string{"X-Request-ID": sent}})
		require.Equal(t, kept, answer.Header().Get("X-Request-ID") == sent, "%q", sent)
		require.NotEmpty(t, answer.Header().Get("X-Request-ID"))
	}
}

func TestNewVersionControllerNeedsBoth(t *testing.T) {
	_, err := controller.NewVersionController(nil, slog.New(slog.DiscardHandler), named)
	require.Error(t, err)
	_, err = controller.NewVersionController(newFakeService(), nil, named)
	require.Error(t, err)
}

// At debug level every request leaves one line that leads from the client's request ID to the error.
func TestRequestIsLoggedAtDebugLevel(t *testing.T) {
	var log strings.Builder
	v, err := controller.NewVersionController(newFakeService(), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), named)
	require.NoError(t, err)
	serve(t, routers.SetUpVersionRouter(v), request{method: http.MethodGet, path: "/version/missing", header: map[string]string{"X-Request-ID": "trace-2"}})
	require.Equal(t, 1, strings.Count(log.String(), "\n"))
	for _, part := range []string{"method=GET", "path=/version/missing", "status=404", "requestID=trace-2", model.ErrNotFound.Error()} {
		require.Contains(t, log.String(), part)
	}
}
