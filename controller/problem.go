package controller

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

const problemType = "application/problem+json"

// Problem is an error answer in the form of RFC 9457.
type Problem struct {
	// Type is always about:blank: what kind of problem it is, Code says.
	Type string `json:"type"`
	// Title is the name of the HTTP status.
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail describes in words what is wrong. The words may change; programs go by Code.
	Detail string `json:"detail"`
	Code   string `json:"code"`
	// Errors has one entry for each wrong field, parameter or header of an invalid_request.
	Errors []model.FieldError `json:"errors,omitempty"`
	// Results has, for a batch_refused, one entry for each item of the batch.
	Results []BatchResult `json:"results,omitempty"`
	// OldestRevision is, for a revision_gone, the first one to watch from.
	OldestRevision uint64 `json:"oldestRevision,omitempty"`
	// RequestID is the X-Request-ID of the answer.
	RequestID string `json:"requestId"`
}

// fail records err for Serve to answer and keeps later handlers from running.
func fail(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
}

// failRecord fails a request on one record, with what is known of the record that stood in the way.
func failRecord(c *gin.Context, result model.Result, err error) {
	labelRecord(c, result)
	fail(c, err)
}

// unknownIfExpired is for writes: where a service reports only that the context ended, the write
// may have been proposed, and must not look like a read that may simply be sent again.
func unknownIfExpired(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	return err
}

// answerProblem answers the error that a handler recorded, if any.
func (f *frame) answerProblem(c *gin.Context, last lastWord) {
	if len(c.Errors) == 0 || c.Writer.Written() {
		return
	}
	err := c.Errors[0].Err
	writeProblem(c, f.translated(c, err), err, last)
}

// translated returns how an error is answered, and logs one that nobody foresaw.
func (f *frame) translated(c *gin.Context, err error) translation {
	t, known := translate(err)
	if !known {
		f.logger.Error("request failed", "requestID", requestID(c), "method", c.Request.Method, "path", c.Request.URL.Path, "err", err)
	}
	return t
}

func writeProblem(c *gin.Context, t translation, err error, last lastWord) {
	problem := Problem{
		Type:      "about:blank",
		Title:     http.StatusText(t.status),
		Status:    t.status,
		Detail:    detail(t, err) + last(c, t),
		Code:      t.code,
		Errors:    fieldErrors(err),
		Results:   refusedResults(err),
		RequestID: requestID(c),
	}
	var gone *model.RevisionGone
	if errors.As(err, &gone) {
		problem.OldestRevision = gone.Oldest
	}
	if t.retryAfterSeconds > 0 {
		c.Header("Retry-After", strconv.Itoa(t.retryAfterSeconds))
	}
	body, _ := json.Marshal(problem) // texts and numbers always marshal
	c.Data(t.status, problemType, append(body, '\n'))
}

// detail chooses the words for the user.
func detail(t translation, err error) string {
	var words *model.Explained
	if !t.told && errors.As(err, &words) && errors.Is(words, t.err) {
		return words.Error()
	}
	var answer *model.StoreError
	if errors.Is(t.err, model.ErrStoreUnavailable) && errors.As(err, &answer) {
		return answer.Detail
	}
	if t.told {
		return err.Error()
	}
	if fields := fieldErrors(err); len(fields) > 0 {
		return joinFields(fields)
	}
	return cmp.Or(t.says, t.err.Error())
}

// lastWord is what a detail ends in.
type lastWord func(*gin.Context, translation) string

// none leaves the last word to the node that asked: it knows what its client wants.
func none(*gin.Context, translation) string { return "" }

// consequence returns what a request that changes something has come to where that is not what it asked for.
func consequence(c *gin.Context, t translation) string {
	switch {
	case !changesSomething(c):
		return ""
	case t.retryAfterSeconds > 0:
		return "; nothing was changed"
	case errors.Is(t.err, model.ErrOutcomeUnknown) && afterUnknown[c.FullPath()] != "":
		return ": " + afterUnknown[c.FullPath()]
	}
	return ""
}

// changesSomething reports whether a request is one that changes something. To join has a GET too.
func changesSomething(c *gin.Context) bool {
	if c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead {
		return c.FullPath() == "/" || strings.HasPrefix(c.FullPath(), "/join/")
	}
	return true
}

func fieldErrors(err error) []model.FieldError {
	var invalid *model.ValidationError
	if errors.As(err, &invalid) {
		return invalid.Fields
	}
	return nil
}

func joinFields(fields []model.FieldError) string {
	lines := make([]string, len(fields))
	for i, each := range fields {
		lines[i] = each.Field + ": " + each.Detail
	}
	return strings.Join(lines, "; ")
}
