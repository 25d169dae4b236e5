package controller_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/test/load/badrequests"
)

const batchPath = "/version/batch"

func batchOf(atomic bool, items ...string) string {
	return fmt.Sprintf(`{"atomic":%t,"items":[%s]}`, atomic, strings.Join(items, ","))
}

func createItem(id string) string {
	return fmt.Sprintf(`{"op":"create","id":%q,"versionNo":"1","platform":"linux"}`, id)
}

// Each item gets what a request of its own would have got, in order, and later items see what earlier
// ones did.
func TestBatchDecidesEachItem(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, batchPath, batchOf(false,
		createItem("a"), createItem("known"),
		`{"op":"update","id":"known","versionNo":"2","platform":"linux","ifMatch":"28672"}`,
		`{"op":"update","id":"known","versionNo":"3","platform":"linux","ifMatch":"28672"}`,
		`{"op":"delete","id":"missing"}`, `{"op":"delete","id":"a"}`))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	require.Equal(t, "application/json", answer.Header().Get("Content-Type"))
	requireLabels(t, answer, "10")
	require.JSONEq(t, `{"refused":3,"results":[
		{"id":"a","status":201,"record":{"id":"a","versionNo":"1","platform":"linux","revision":32768}},
		{"id":"known","status":409,"code":"already_exists","detail":"a record with this id exists already","revision":28672},
		{"id":"known","status":200,"record":{"id":"known","versionNo":"2","platform":"linux","revision":36864}},
		{"id":"known","status":412,"code":"revision_mismatch","detail":"the record has another revision than this request depends on","revision":36864},
		{"id":"missing","status":404,"code":"not_found","detail":"no record has this id"},
		{"id":"a","status":204}]}`, answer.Body.String())
}

func TestAtomicBatchIsDone(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, batchPath, batchOf(true, createItem("a"), `{"op":"delete","id":"known"}`))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	require.Zero(t, mustDecode[controller.BatchAnswer](t, answer).Refused)
	require.Equal(t, http.StatusNotFound, n.get(t, "/version/known").Code)
}

// A client that looks at the status alone must not take a refused batch for done; one that looks closer
// learns which item it was.
func TestAtomicBatchIsRefused(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, batchPath, batchOf(true, createItem("a"), createItem("known"), createItem("b")))
	problem := requireProblem(t, answer, http.StatusConflict, "batch_refused")
	require.Equal(t, "items[1]: a record with this id exists already; nothing was changed", problem.Detail)
	require.Equal(t, []controller.BatchResult{
		{ID: "a", Status: http.StatusFailedDependency, Code: "not_done", Detail: model.ErrNotDone.Error()},
		{ID: "known", Status: http.StatusConflict, Code: "already_exists", Detail: model.ErrAlreadyExists.Error(), Revision: 28672},
		{ID: "b", Status: http.StatusFailedDependency, Code: "not_done", Detail: model.ErrNotDone.Error()},
	}, problem.Results)
	require.Equal(t, http.StatusNotFound, n.get(t, "/version/a").Code)
}

// What stood in the way of an item may have been the batch itself, of which nothing was done. The answer must
// not say of a record that is there that there is none, or the other way round.
func TestAtomicBatchInItsOwnWay(t *testing.T) {
	n := mustNode(t)
	const change = `{"op":"update","id":"known","versionNo":"2","platform":"linux","ifMatch":"28672"}`
	for _, c := range []struct {
		items        []string
		code, detail string
		revision     uint64
	}{
		{[]string{createItem("zz"), createItem("zz")}, "already_exists", "an item before it creates a record with this id", 0},
		{[]string{`{"op":"delete","id":"known"}`, `{"op":"delete","id":"known"}`}, "not_found", "an item before it deletes the record", 28672},
		{[]string{change, change}, "revision_mismatch", "an item before it changes the record, which then has another revision than ifMatch names", 28672},
		{[]string{change, createItem("known")}, "already_exists", model.ErrAlreadyExists.Error(), 28672},
	} {
		answer := n.send(t, http.MethodPost, batchPath, batchOf(true, c.items...))
		problem := requireProblem(t, answer, http.StatusConflict, "batch_refused")
		require.Equal(t, "items[1]: "+c.detail+"; nothing was changed", problem.Detail)
		require.Equal(t, c.code, problem.Results[1].Code)
		require.Equal(t, c.revision, problem.Results[1].Revision)
	}
}

func TestBatchWithoutAtomicIsNotAtomic(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, batchPath, `{"items":[`+createItem("known")+`,`+createItem("a")+`]}`)
	require.Equal(t, 1, mustDecode[controller.BatchAnswer](t, answer).Refused)
	require.Equal(t, http.StatusOK, n.get(t, "/version/a").Code)
}

func TestLargestBatch(t *testing.T) {
	n := mustNode(t)
	items := make([]string, model.UnitCommandsMax)
	for i := range items {
		items[i] = createItem(fmt.Sprintf("id-%04d", i))
	}
	answer := n.send(t, http.MethodPost, batchPath, batchOf(true, items...))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	results := mustDecode[controller.BatchAnswer](t, answer).Results
	require.Len(t, results, len(items))
	require.Equal(t, "id-0999", results[999].Record.ID)
}

// The outcome of a batch that may have been done is unknown as a whole; it must not look retryable.
func TestBatchOfUnknownOutcome(t *testing.T) {
	n := mustNode(t)
	for fault, code := range map[error]string{model.ErrOutcomeUnknown: "outcome_unknown", model.ErrNoLeader: "no_leader"} {
		n.service.fault = fault
		answer := n.send(t, http.MethodPost, batchPath, batchOf(false, createItem("a")))
		require.Equal(t, code, mustDecode[controller.Problem](t, answer).Code)
		require.Equal(t, code == "outcome_unknown", answer.Header().Get("Retry-After") == "")
	}
}

// Whoever sends a thousand writes, of which one is misspelt, has 999 of them done and learns what is wrong
// with the one. The order of the results is that of the items, also where one of them is wrong.
func TestAnItemThatIsWrongIsRefusedAlone(t *testing.T) {
	n := mustNode(t)
	answer := n.send(t, http.MethodPost, batchPath, batchOf(false, `{"op":"delete","id":"a/..","size":1}`, createItem("a"), `7`, createItem("known"), `{"op":"delete","id":"known"}`))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	var optional []string
	for _, field := range model.DetailFields {
		optional = append(optional, field.Name)
	}
	known := "op, ifMatch, id, versionNo, platform, revision, " + strings.Join(optional, ", ")
	require.JSONEq(t, `{"refused":3,"results":[
		{"id":"a/..","status":400,"code":"invalid_request","detail":"items[0].size: is not known; an item has `+known+`; items[0].id: must not be \".\" or \"..\", nor have one of them between slashes",
			"errors":[{"field":"items[0].size","detail":"is not known; an item has `+known+`"},{"field":"items[0].id","detail":"must not be \".\" or \"..\", nor have one of them between slashes"}]},
		{"id":"a","status":201,"record":{"id":"a","versionNo":"1","platform":"linux","revision":32768}},
		{"id":"","status":400,"code":"invalid_request","detail":"items[2]: must be an object such as {\"op\":\"delete\",\"id\":\"app\"}, not a number",
			"errors":[{"field":"items[2]","detail":"must be an object such as {\"op\":\"delete\",\"id\":\"app\"}, not a number"}]},
		{"id":"known","status":409,"code":"already_exists","detail":"a record with this id exists already","revision":28672},
		{"id":"known","status":204}]}`, answer.Body.String())

	answer = n.send(t, http.MethodPost, batchPath, batchOf(false, `{}`, `null`))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	require.Equal(t, 2, mustDecode[controller.BatchAnswer](t, answer).Refused, "none of them is right")
}

// What the service finds wrong is told under the place that the item has in the request, which has others that were not asked for.
// Every other item has its own outcome.
func TestAnItemThatTheServiceFindsWrong(t *testing.T) {
	n := mustNode(t)
	n.service.wrong = map[int]error{1: model.Invalid("versionNo", "is wrong")}
	answer := n.send(t, http.MethodPost, batchPath, batchOf(false, `7`, createItem("a"), createItem("known"), `{"op":"delete","id":"known"}`))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	results := mustDecode[controller.BatchAnswer](t, answer)
	require.Equal(t, 2, results.Refused)
	require.Equal(t, http.StatusCreated, results.Results[1].Status)
	require.Equal(t, controller.BatchResult{ID: "known", Status: http.StatusBadRequest, Code: "invalid_request", Detail: "items[2].versionNo: is wrong",
		Errors: []model.FieldError{{Field: "items[2].versionNo", Detail: "is wrong"}}}, results.Results[2])
	require.Equal(t, http.StatusNoContent, results.Results[3].Status)

	n.service.fault = &model.ItemsError{Items: n.service.wrong}
	problem := requireProblem(t, n.send(t, http.MethodPost, batchPath, batchOf(true, createItem("b"), createItem("c"))), http.StatusBadRequest, "invalid_request")
	require.Equal(t, []model.FieldError{{Field: "items[1].versionNo", Detail: "is wrong"}}, problem.Errors)
}

// Everything that can be wrong with an item is that item's own affair unless the batch is atomic.
func TestEveryWrongItemIsRefusedAlone(t *testing.T) {
	const atomic = `{"atomic":true,"items":[`
	tried := 0
	for _, c := range badrequests.Public() {
		if c.Path != batchPath || !strings.HasPrefix(c.Body, atomic) || len(c.Fields) == 0 || !strings.HasPrefix(c.Fields[0], "items[1]") {
			continue
		}
		tried++
		answer := mustNode(t).send(t, http.MethodPost, batchPath, strings.Replace(c.Body, atomic, `{"items":[`, 1))
		require.Equal(t, http.StatusOK, answer.Code, c.Name)
		results := mustDecode[controller.BatchAnswer](t, answer).Results
		require.Equal(t, http.StatusCreated, results[0].Status, c.Name)
		var fields []string
		for _, each := range results[1:] {
			require.Equal(t, "invalid_request", each.Code, c.Name)
			for _, wrong := range each.Errors {
				fields = append(fields, wrong.Field)
			}
		}
		require.ElementsMatch(t, c.Fields, fields, c.Name)
	}
	require.Greater(t, tried, 20)
}
