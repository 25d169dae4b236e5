package controller

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// input reads one request. Each part of it has a reader of its own, which reports to the same faults.
type input struct {
	*faults
	query
	headers
	document
	c *gin.Context
}

// readInput begins to read a request that takes these query parameters and no others.
func readInput(c *gin.Context, parameters ...string) *input {
	f := &faults{}
	return &input{faults: f, query: readQuery(f, c.Request.URL.RawQuery, parameters), headers: headers{f, c.Request.Header}, document: document{f}, c: c}
}

// readWrite begins to read a request that changes a record. Clients that send their read level and
// min_index with every request may: a write is linearizable at any level.
func readWrite(c *gin.Context, parameters ...string) *input {
	in := readInput(c, append(parameters, "timeout", "level", "min_index")...)
	in.readOptions()
	return in
}

// failed records what is wrong, if anything is. The handler then returns without asking the service.
func (in *input) failed() bool {
	err := in.err()
	if err != nil {
		fail(in.c, err)
	}
	return err != nil
}

// do has f ask a service within the request's timeout, unless something is wrong with the request.
func (in *input) do(f func(context.Context)) {
	timeout := in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := withTimeout(in.c.Request.Context(), timeout)
	defer cancel()
	f(ctx)
}

// ask asks a service and answers what it says.
func ask[T any](in *input, service func(context.Context) (T, error)) {
	in.do(func(ctx context.Context) {
		answer, err := service(ctx)
		if err != nil {
			fail(in.c, err)
			return
		}
		answerJSON(in.c, http.StatusOK, answer)
	})
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
func (f *faults) refuseReserved(id string) {
	if slices.Contains(reserved, id) {
		f.wrong("id", "must not be "+listOf(reserved)+", whose paths are kept for questions about versions; add something, such as "+id+"-1")
	}
}
