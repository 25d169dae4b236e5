package controller

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// Names of the headers that every answer carries, in the canonical form that net/http keeps them
// in, so that they can be set without being canonicalised again.
const (
	headerNode      = "X-Versiond-Node"
	headerIndex     = "X-Versiond-Index"
	headerRequestID = "X-Request-Id"
)

// requestIDBytesMax bounds the request ID that a client may choose.
const requestIDBytesMax = 128

// Serve runs around every handler of the public port: it labels the answer, answers errors and panics,
// measures the request and logs one line at debug level. It must be the first handler of an engine.
func (f *frame) Serve(c *gin.Context) {
	f.serve(c, f.metrics.Public, f.bodies, consequence)
	f.auditClient(c)
}

// ServePeers is Serve for the peer port.
func (f *frame) ServePeers(c *gin.Context) {
	f.serve(c, f.metrics.Peer, f.peerBodies, none)
	f.auditNode(c)
}

func (f *frame) serve(c *gin.Context, observer RequestObserver, bodies *bodyBudget, last lastWord) {
	began := time.Now()
	defer bodies.boundBody(c)()
	f.label(c)
	f.next(c)
	f.answerProblem(c, last)
	took := time.Since(began)
	if !streams(c) {
		observer.Answered(c.Request.Method, c.FullPath(), c.Writer.Status(), took)
	}
	f.logRequest(c, took)
}

// label sets the headers that every answer carries. The index is taken here, before the handler
// reads anything, so the answer reflects at least that index; handlers that know better raise it.
func (f *frame) label(c *gin.Context) {
	h := c.Writer.Header()
	h[headerNode] = f.node
	setIndex(c, f.service.AppliedIndex())
	h[headerRequestID] = []string{chooseRequestID(c.Request)}
	// A copy that a browser or proxy kept would pass for a linearizable read.
	h["Cache-Control"] = []string{"no-cache"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
}

// next runs the handlers and turns a panic into an error.
func (f *frame) next(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause == http.ErrAbortHandler { //nolint:errorlint // net/http, too, means this very value
			panic(cause)
		}
		f.logger.Error("handler panicked", "requestID", requestID(c), "method", c.Request.Method,
			"path", c.Request.URL.Path, "err", cause, "stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		c.Errors = nil
		fail(c, errPanicked)
	}()
	c.Next()
}

func (f *frame) logRequest(c *gin.Context, took time.Duration) {
	ctx := c.Request.Context()
	if !f.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.Request.Method),
		slog.String("path", c.Request.URL.Path),
		slog.Int("status", c.Writer.Status()),
		slog.Duration("took", took),
		slog.String("requestID", requestID(c)),
	}
	if token := c.GetString(tokenKey); token != "" {
		attrs = append(attrs, slog.String("token", token))
	}
	if len(c.Errors) > 0 {
		attrs = append(attrs, slog.Any("err", c.Errors[0].Err))
	}
	f.logger.LogAttrs(ctx, slog.LevelDebug, "request served", attrs...)
}

// NoSuchPath answers every path that has no route.
func (f *frame) NoSuchPath(c *gin.Context) {
	if path, slash := strings.CutSuffix(c.Request.URL.Path, "/"); slash && path != "" {
		fail(c, model.Explain(errNoSuchPath, "nothing lives at this path; paths have no slash at their end: try it without"))
		return
	}
	if id, below := strings.CutPrefix(c.Request.URL.EscapedPath(), "/version/"); below && len(id) <= pathIDBytesMax {
		id, history := strings.CutSuffix(id, "/history")
		meant := "/version/" + strings.ReplaceAll(id, "/", "%2F")
		if history {
			meant += "/history"
		}
		fail(c, model.Explain(errNoSuchPath, "nothing lives at this path; a slash in an id is written %2F: "+meant))
		return
	}
	fail(c, errNoSuchPath)
}

// pathIDBytesMax is the length of an id of which each byte is percent-encoded.
const pathIDBytesMax = 3 * model.IDBytesMax

// NoSuchPeerPath is NoSuchPath for the peer port, which has no page that lists its paths.
func (f *frame) NoSuchPeerPath(c *gin.Context) { fail(c, errNoSuchPeerPath) }

// MethodNotAllowed answers a path that has routes for other methods; the engine has set Allow.
func (f *frame) MethodNotAllowed(c *gin.Context) { fail(c, errMethodNotAllowed) }

// chooseRequestID keeps the client's request ID when it is fit for headers and logs.
func chooseRequestID(r *http.Request) string {
	id := r.Header.Get(headerRequestID)
	if id == "" || len(id) > requestIDBytesMax || strings.ContainsFunc(id, invisible) {
		return rand.Text()
	}
	return id
}

func requestID(c *gin.Context) string { return c.Writer.Header().Get(headerRequestID) }

// setIndex sets X-Versiond-Index unless the index is not known.
func setIndex(c *gin.Context, index uint64) {
	if index != 0 || c.Writer.Header()[headerIndex] == nil {
		c.Writer.Header()[headerIndex] = []string{strconv.FormatUint(index, 10)}
	}
}
