package controller

import (
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/naming"
)

// RequireThroughout is Require for handlers that may take long: when the node comes to go by another access, under which
// the request would be refused, or when a certificate ends without which it would be, its context ends, with that as the cause.
func (g *guard) RequireThroughout(role naming.Role) gin.HandlerFunc {
	require := g.Require(role)
	return func(c *gin.Context) {
		ctx, end := context.WithCancelCause(c.Request.Context())
		defer end(nil)
		// It is known before it is let pass: one of the two sees an access that comes meanwhile.
		l := &lasting{request: c.Request, role: role, end: end}
		defer g.lasting.hold(l)()
		if require(c); !c.IsAborted() {
			g.judgeInTime(l)
			c.Request = c.Request.WithContext(ctx)
			c.Next()
		}
	}
}

// lasting is a request that has to be allowed for as long as it is served.
type lasting struct {
	request *http.Request
	role    naming.Role
	end     context.CancelCauseFunc
	inTime  *time.Timer // see judgeInTime; guarded by allLasting
}

// judge ends it if the access refuses it now.
func (l *lasting) judge(by *access, because string) {
	if by.open() {
		return
	}
	if _, err := by.allow(l.request, l.role); err != nil {
		l.end(model.Explain(err, because+err.Error()))
	}
}

// judgeInTime has a request judged again whenever one of the certificates ends for which its client was let in.
func (g *guard) judgeInTime(l *lasting) {
	at, ends := nextEnd(l.request.TLS, time.Now())
	g.lasting.mu.Lock()
	defer g.lasting.mu.Unlock()
	if ends && g.lasting.requests[l] {
		l.inTime = time.AfterFunc(time.Until(at), func() {
			l.judge(g.access.Load(), "a certificate has ended by which this was allowed: ")
			g.judgeInTime(l)
		})
	}
}

// nextEnd returns when the next of the certificates that lead from a client to an authority is good no more.
func nextEnd(by *tls.ConnectionState, now time.Time) (at time.Time, ends bool) {
	if by == nil {
		return at, false
	}
	for _, certificate := range slices.Concat(by.VerifiedChains...) {
		// At NotAfter itself it is good still.
		if end := certificate.NotAfter.Add(time.Second); end.After(now) && (!ends || end.Before(at)) {
			at, ends = end, true
		}
	}
	return at, ends
}

// allLasting are those that are served. Any goroutine may call its methods.
type allLasting struct {
	mu       sync.Mutex
	requests map[*lasting]bool
}

func (all *allLasting) hold(l *lasting) (release func()) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.requests == nil {
		all.requests = map[*lasting]bool{}
	}
	all.requests[l] = true
	return func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		delete(all.requests, l)
		if l.inTime != nil {
			l.inTime.Stop()
		}
	}
}

// endRefused ends those that the access would refuse. To judge one may have the files of certificates read, and what is new in
// them ends requests in turn: nothing is held meanwhile.
func (all *allLasting) endRefused(by *access) {
	for _, l := range all.now() {
		l.judge(by, "the tokens or certificates of this node have changed: ")
	}
}

func (all *allLasting) now() []*lasting {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Collect(maps.Keys(all.requests))
}
