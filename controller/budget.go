package controller

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

const (
	// bodyBytesFree is what every request may send without asking: more than a record needs.
	bodyBytesFree = 16 << 10
	// bodiesBytesMax bounds what the larger bodies of one port hold in memory together.
	bodiesBytesMax = 64 << 20
)

// bodyBudget is what the bodies that are in memory may hold together. Only bytes that have come
// count: a client that announces much and sends little takes nothing from the others.
type bodyBudget struct{ taken atomic.Int64 }

var errBodiesTooLarge = fmt.Errorf("%w: too many large bodies", model.ErrTooManyRequests)

// boundBody makes the body of a request fail with model.ErrTooManyRequests where the budget ends. The
// caller calls release when the request is done with.
func (b *bodyBudget) boundBody(c *gin.Context) (release func()) {
	if c.Request.ContentLength == 0 {
		return func() {}
	}
	body := &countedBody{ReadCloser: c.Request.Body, budget: b}
	// A copy: by the body of its own request net/http knows a client that still waits for 100 Continue, to
	// which it gives the final status at once.
	c.Request = c.Request.WithContext(c.Request.Context())
	c.Request.Body = body
	return body.release
}

// countedBody is a body that counts against a budget. One goroutine uses it.
type countedBody struct {
	io.ReadCloser
	budget      *bodyBudget
	read, taken int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - bodyBytesFree - b.taken; more > 0 {
		b.taken += more
		if b.budget.taken.Add(more) > bodiesBytesMax {
			return 0, errBodiesTooLarge
		}
	}
	return n, err
}

func (b *countedBody) release() { b.budget.taken.Add(-b.taken) }

// streamed returns a body that is not kept in memory, and therefore does not count.
func streamed(body io.ReadCloser) io.ReadCloser {
	if counted, ok := body.(*countedBody); ok {
		return counted.ReadCloser
	}
	return body
}
