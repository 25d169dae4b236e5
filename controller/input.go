package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

const (
	timeoutDefault = 5 * time.Second
	timeoutMax     = 60 * time.Second

	fieldErrorsMax = 32
	// itemErrorsMax is the same for an item of a batch, of which there may be a thousand.
	itemErrorsMax     = 8
	fieldNameBytesMax = 64
)

// input reads one request and collects everything that is wrong with it, so that a client learns
// all of it at once. Its methods return a zero value for what they report as wrong.
type input struct {
	c      *gin.Context
	query  url.Values
	fields []model.FieldError
	// fieldsMax bounds them; fieldErrorsMax when it is 0.
	fieldsMax int
	// within stands before the names of fields while one of several items is read.
	within string
	// refusal is why the body was not looked at: its type or its size.
	refusal error
}

// readInput begins to read a request that takes these query parameters and no others. An unknown
// one is refused: ignoring a misspelt level would give a weaker read than was asked for.
func readInput(c *gin.Context, parameters ...string) *input {
	in := &input{c: c}
	if c.Request.URL.RawQuery == "" {
		return in
	}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		in.wrong("query", "must be name=value pairs joined by &, with special characters percent-encoded")
	}
	in.query = query
	in.checkParameters(parameters)
	return in
}

// readWrite begins to read a request that changes a record. Clients that send their read level and
// min_index with every request may: a write is linearizable at any level.
func readWrite(c *gin.Context, parameters ...string) *input {
	in := readInput(c, append(parameters, "timeout", "level", "min_index")...)
	in.readOptions()
	return in
}

func (in *input) checkParameters(parameters []string) {
	names := make([]string, 0, len(in.query))
	for name := range in.query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(parameters, name) {
			in.wrong(name, "is not a parameter of this request, which takes "+listOf(parameters))
		} else if len(in.query[name]) > 1 {
			in.wrong(name, "is given more than once")
		} else if in.query[name][0] == "" {
			in.wrong(name, "is empty; give it a value or leave it out")
		}
	}
}

func listOf(parameters []string) string {
	if len(parameters) == 0 {
		return "none"
	}
	return strings.Join(parameters, ", ")
}

// wrong reports a field, parameter or header, once each: what follows from the first thing that is
// wrong with it would only distract. The bounds keep an absurd request from getting an answer as
// large as itself.
func (in *input) wrong(field, detail string) {
	field = in.within + field
	if len(field) > fieldNameBytesMax {
		field = strings.ToValidUTF8(field[:fieldNameBytesMax], "") + "…"
	}
	if len(in.fields) == cmp.Or(in.fieldsMax, fieldErrorsMax) || in.reported(field) {
		return
	}
	in.fields = append(in.fields, model.FieldError{Field: field, Detail: detail})
}

// merge reports what a validation found.
func (in *input) merge(err error) {
	for _, each := range fieldErrors(err) {
		in.wrong(each.Field, each.Detail)
	}
}

func (in *input) reported(field string) bool {
	return slices.ContainsFunc(in.fields, func(f model.FieldError) bool { return f.Field == field })
}

// failed records what is wrong, if anything is. The handler then returns without asking the service.
func (in *input) failed() bool {
	err := in.err()
	if err != nil {
		fail(in.c, err)
	}
	return err != nil
}

func (in *input) err() error {
	switch {
	case in.refusal != nil:
		return in.refusal
	case len(in.fields) > 0:
		return &model.ValidationError{Fields: in.fields}
	}
	return nil
}

// path returns a path parameter, percent-decoded once. The engine leaves it as it was sent, because
// its own decoding takes a plus sign for a blank.
func (in *input) path(name string) string {
	value, err := url.PathUnescape(in.c.Param(name))
	if err != nil {
		in.wrong(name, "must be percent-encoded correctly")
	}
	return value
}

// id returns the record id of the path.
func (in *input) id() string {
	id := in.path("id")
	in.merge(model.ValidateID(id))
	return id
}

// reserved are the ids behind which GET has, or will have, something else than a record.
var reserved = []string{"check", "compare", "history", "latest", "watch"}

// refuseReserved refuses the id of a new record that could be read only with a letter of it encoded. The rule is none of
// model's: records of before have such ids, in logs and backups too.
func (in *input) refuseReserved(id string) {
	if slices.Contains(reserved, id) {
		in.wrong("id", "must not be "+listOf(reserved)+", whose paths are kept for questions about versions; add something, such as "+id+"-1")
	}
}

// parameter returns a query parameter and whether it was sent, even empty.
func (in *input) parameter(name string) (value string, sent bool) {
	values := in.query[name]
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// timeout returns how long the service may take.
func (in *input) timeout() time.Duration { return in.timeoutUpTo(timeoutMax, timeoutDefault) }

func (in *input) timeoutUpTo(most, fallback time.Duration) time.Duration {
	value, sent := in.parameter("timeout")
	if !sent {
		return fallback
	}
	timeout, err := time.ParseDuration(value)
	if err != nil || timeout <= 0 || timeout > most {
		in.wrong("timeout", fmt.Sprintf("must be a Go duration above 0 and at most %gs, such as 500ms or 10s", most.Seconds()))
	}
	return timeout
}

// withTimeout bounds the request's context.
func (in *input) withTimeout(timeout time.Duration) (context.Context, context.CancelFunc) {
	return withTimeout(in.c.Request.Context(), timeout)
}

// ask asks a service within the request's timeout, unless something is wrong with the request, and answers what it
// says.
func ask[T any](in *input, service func(context.Context) (T, error)) {
	timeout := in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	answer, err := service(ctx)
	if err != nil {
		fail(in.c, err)
		return
	}
	answerJSON(in.c, http.StatusOK, answer)
}

func (in *input) boolean(name string, fallback bool) bool {
	value, sent := in.parameter(name)
	if !sent {
		return fallback
	}
	if value != "true" && value != "false" {
		in.wrong(name, "must be true or false")
	}
	return value == "true"
}

// wholeNumber reads a decimal number between low and high.
func wholeNumber(text string, low, high uint64) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errors.New("not a number")
	}
	if number < low || number > high {
		return 0, fmt.Errorf("not between %d and %d", low, high)
	}
	return number, nil
}
