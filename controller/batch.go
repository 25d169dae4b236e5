package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// BatchAnswer is what became of each item of a batch.
type BatchAnswer struct {
	// Refused is how many items were refused; 0 means that everything was done.
	Refused int `json:"refused"`
	// Results has one entry for each item, in their order.
	Results []BatchResult `json:"results"`
}

// BatchResult is what became of one item: the status and code that a request of its own would have had.
type BatchResult struct {
	ID     string `json:"id"`
	Status int    `json:"status"`
	// Record is what a create or an update has written.
	Record *model.VersionDB `json:"record,omitempty"`
	// Code and Detail are why an item was refused.
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Errors has one entry for each wrong field of an item that is an invalid_request.
	Errors []model.FieldError `json:"errors,omitempty"`
	// Revision is the one that the record has, of an item that was refused and where there is one.
	Revision uint64 `json:"revision,omitempty"`
}

// WriteBatch does many writes in one request.
func (v *VersionController) WriteBatch(c *gin.Context) {
	in := readWrite(c)
	in.refuseHeader("If-Match", "does not go with a batch; give items ifMatch")
	batch, key := in.batch(), in.idempotencyKey()
	c.Set(itemsKey, batch.items)
	in.do(func(ctx context.Context) {
		batch.unit.Origin = in.origin()
		result, err := v.writeBatch(ctx, &batch, key)
		setIndex(c, result.Index)
		if err != nil {
			fail(c, unknownIfExpired(err))
			return
		}
		setReplayed(c, result.Replayed)
		if len(result.Outcomes) > 0 && result.Outcomes[0].Code == model.OutcomeKeyReused {
			fail(c, model.ErrIdempotencyKeyReused) // of the batch as a whole
			return
		}
		answerBatch(c, batch, result)
	})
}

// writeBatch has the items decided that are right, if there are any. The service may find that others are not.
func (v *VersionController) writeBatch(ctx context.Context, batch *batchRequest, key string) (model.UnitResult, error) {
	if len(batch.unit.Commands) == 0 {
		return model.UnitResult{}, nil
	}
	result, err := v.service.WriteBatch(ctx, batch.unit, key)
	var wrong *model.ItemsError
	if errors.As(err, &wrong) {
		err = &model.ValidationError{Fields: fieldsOfItems(wrong)}
	}
	return result, err
}

func answerBatch(c *gin.Context, batch batchRequest, outcome model.UnitResult) {
	answer, place := BatchAnswer{Results: make([]BatchResult, len(batch.items))}, 0
	for i, item := range batch.items {
		if len(item.wrong) == 0 {
			answer.Results[i] = resultOf(item.command, outcome.Outcomes[place])
			if err := outcome.Wrong[place]; err != nil {
				item.wrong = fieldsOfItem(i, err)
			}
			place++
		}
		if len(item.wrong) > 0 {
			answer.Results[i] = invalidItem(item)
		}
		if answer.Results[i].Code != "" {
			answer.Refused++
		}
	}
	c.Set(resultsKey, answer.Results)
	if position, refused := outcome.Refused(); refused && batch.unit.Atomic {
		fail(c, &batchRefusal{position: position, results: answer.Results})
		return
	}
	answerJSON(c, http.StatusOK, answer)
}

// invalidItem is what became of an item that could not be asked for.
func invalidItem(item batchItem) BatchResult {
	t, _ := translate(model.ErrInvalid)
	return BatchResult{ID: item.command.ID, Status: t.status, Code: t.code, Detail: joinFields(item.wrong), Errors: item.wrong}
}

// resultOf returns what became of one item, as the path for single records would say it.
func resultOf(c model.Command, outcome model.Outcome) BatchResult {
	result := BatchResult{ID: c.ID}
	if err := outcome.Err(); err != nil {
		t, _ := translate(err)
		result.Status, result.Code, result.Detail, result.Revision = t.status, t.code, t.err.Error(), outcome.Revision
		if detail := inTheWay(c, outcome); detail != "" {
			result.Detail = detail
		}
		return result
	}
	record := c.Record(outcome.Details, outcome.Revision)
	switch c.Type {
	case model.CommandAdd:
		result.Status, result.Record = http.StatusCreated, &record
	case model.CommandUpdate:
		result.Status, result.Record = http.StatusOK, &record
	case model.CommandDelete:
		result.Status = http.StatusNoContent
	}
	return result
}

// inTheWay returns what stood in the way of an item where it was the batch itself, of which nothing was done
// then: the record as it is does not explain the refusal. It is empty otherwise.
func inTheWay(c model.Command, outcome model.Outcome) string {
	switch {
	case outcome.Code == model.OutcomeAlreadyExists && outcome.Revision == 0:
		return "an item before it creates a record with this id"
	case outcome.Code == model.OutcomeNotFound && outcome.Revision != 0:
		return "an item before it deletes the record"
	case outcome.Code == model.OutcomeRevisionMismatch && (outcome.Revision == 0 || outcome.Revision == c.IfRevision):
		return "an item before it changes the record, which then has another revision than ifMatch names"
	}
	return ""
}

// batchRefusal is the error of an atomic batch of which the item at position stood in the way.
type batchRefusal struct {
	position int
	results  []BatchResult
}

func (e *batchRefusal) Error() string {
	return fmt.Sprintf("items[%d]: %s; nothing was changed", e.position, e.results[e.position].Detail)
}

func (e *batchRefusal) Unwrap() error { return errBatchRefused }

func refusedResults(err error) []BatchResult {
	var refusal *batchRefusal
	if errors.As(err, &refusal) {
		return refusal.results
	}
	return nil
}
