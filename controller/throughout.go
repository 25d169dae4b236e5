package controller

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/naming"
)

// RequireThroughout is Require for handlers that may take long: when the node comes to go by another access, under which
// the request would be refused, its context ends, with that as the cause.
func (g *guard) RequireThroughout(role naming.Role) gin.HandlerFunc {
	require := g.Require(role)
	return func(c *gin.Context) {
		ctx, end := context.WithCancelCause(c.Request.Context())
		defer end(nil)
		// It is known before it is let pass: one of the two sees an access that comes meanwhile.
		defer g.lasting.hold(&lasting{request: c.Request, role: role, end: end})()
		if require(c); !c.IsAborted() {
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
	}
}

// endRefused ends those that the access would refuse. To judge one may have the files of certificates read, and what is new in
// them ends requests in turn: nothing is held meanwhile.
func (all *allLasting) endRefused(by *access) {
	if by.open() {
		return
	}
	for _, l := range all.now() {
		if _, err := by.allow(l.request, l.role); err != nil {
			l.end(model.Explain(err, "the tokens or certificates of this node have changed: "+err.Error()))
		}
	}
}

func (all *allLasting) now() []*lasting {
	all.mu.Lock()
	defer all.mu.Unlock()
	return slices.Collect(maps.Keys(all.requests))
}
