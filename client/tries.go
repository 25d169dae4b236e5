package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// retryAfterMax is the longest that an address is waited for. One that asks for more is left out of the call.
	retryAfterMax = 10 * time.Second
	// backoffMin and backoffMax bound the wait for an address that does not say how long.
	backoffMin = 50 * time.Millisecond
	backoffMax = 2 * time.Second
	// headroom is what is left of a context's time for the answer to come back.
	headroom = 10
)

// do sends a request until it is answered, and returns an *Error when it is not done.
func (c *Client) do(ctx context.Context, r *request) (answer, error) {
	t := c.newTries(r)
	for {
		at, timeout, ok := t.next(ctx)
		if !ok {
			return answer{}, t.giveUp(ctx)
		}
		began := time.Now()
		a, failure := c.attempt(ctx, at, r, timeout)
		if failure == nil {
			c.preferred.Store(at)
			return a, nil
		}
		if r.upload != nil && t.sent <= len(t.addresses) { // a file takes as long as it takes, and leaves the next node its time
			t.deadline = t.deadline.Add(time.Since(began))
		}
		if settled := t.note(failure, at); settled {
			return answer{}, t.giveUp(ctx)
		}
	}
}

// tries is one call on its way from address to address.
type tries struct {
	request   *request
	addresses []*place
	// begin is the address to ask next, if it may be asked.
	begin    int
	deadline time.Time
	timeout  time.Duration
	single   bool
	sent     int

	// unsure is the first failure that leaves open whether something was done, last the one that ended the call.
	unsure, last *Error
}

// place is an address in one call.
type place struct {
	*address
	failed    int
	notBefore time.Time
	out       bool
	last      *Error
}

func (c *Client) newTries(r *request) *tries {
	t := &tries{request: r, single: c.retryFor < 0, deadline: time.Now().Add(max(c.retryFor, c.attemptTimeout)), timeout: c.attemptTimeout}
	switch {
	case r.within > 0:
		t.timeout = r.within
	case r.manner == once: // no other node is asked once it may have been done
		t.timeout = max(t.timeout, min(c.retryFor/time.Duration(len(c.addresses)), timeoutMax))
	}
	for _, a := range c.addresses {
		t.addresses = append(t.addresses, &place{address: a})
	}
	t.begin = max(0, slices.Index(c.addresses, c.preferred.Load()))
	return t
}

// next waits until an address may be asked and returns it, and how long the node may take. It returns false when there is
// none in time.
func (t *tries) next(ctx context.Context) (at *address, timeout time.Duration, ok bool) {
	p, index := t.choose()
	if p == nil || ctx.Err() != nil || t.sent > 0 && (t.single || latest(p.notBefore, time.Now()).After(t.end(ctx))) {
		return nil, 0, false
	}
	if !sleep(ctx, time.Until(p.notBefore)) {
		return nil, 0, false
	}
	t.begin = index
	t.sent++
	return p.address, t.patience(ctx), true
}

// choose returns the place that may be asked first, going round from begin on.
func (t *tries) choose() (chosen *place, at int) {
	now := time.Now()
	for i := range t.addresses {
		index := (t.begin + i) % len(t.addresses)
		p := t.addresses[index]
		switch {
		case p.out:
		case !p.notBefore.After(now):
			return p, index
		case chosen == nil || p.notBefore.Before(chosen.notBefore):
			chosen, at = p, index
		}
	}
	return chosen, at
}

// end returns when the call is over.
func (t *tries) end(ctx context.Context) time.Time {
	if deadline, has := ctx.Deadline(); has && deadline.Before(t.deadline) {
		return deadline
	}
	return t.deadline
}

// patience returns how long a node may take, so that its answer is there before the context ends.
func (t *tries) patience(ctx context.Context) time.Duration {
	timeout := t.timeout
	if t.sent > 1 && t.request.upload == nil {
		timeout = min(timeout, time.Until(t.deadline))
	}
	if deadline, has := ctx.Deadline(); has {
		left := time.Until(deadline)
		timeout = min(timeout, left-left/headroom)
	}
	return max(timeout, time.Millisecond)
}

func sleep(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// verdict is what a failure means for the rest of the call.
type verdict int

const (
	// decided ends the call: asking again would not help.
	decided verdict = iota
	// elsewhere means that nothing was done, and that another node may do it.
	elsewhere
	// crowded means that nothing was done, and that no node should be asked for a while.
	crowded
	// unsure means that it may have been done.
	unsure
)

// note takes in that an address has failed, and reports whether the call is over.
func (t *tries) note(failure *Error, at *address) (over bool) {
	t.last = failure
	if p := t.place(at); p.last == nil || p.last.silent() || !errors.Is(failure, context.DeadlineExceeded) && !errors.Is(failure, context.Canceled) {
		p.last = failure // what a node has said says more than that the caller's time is over
	}
	verdict := t.request.judge(failure)
	if verdict == unsure && t.unsure == nil {
		t.unsure = failure
	}
	if verdict == decided || verdict == unsure && t.request.manner == once || t.request.upload.spent() {
		return true
	}
	t.rest(failure, at, verdict == crowded)
	return false
}

func (t *tries) place(of *address) *place {
	return t.addresses[slices.IndexFunc(t.addresses, func(p *place) bool { return p.address == of })]
}

// rest keeps an address, or all of them, from being asked for a while.
func (t *tries) rest(failure *Error, at *address, all bool) {
	now := time.Now()
	for i, p := range t.addresses {
		if p.address == at {
			p.failed++
			p.out = failure.RetryAfter > retryAfterMax
			t.begin = i + 1
			p.notBefore = now.Add(max(failure.RetryAfter, backoff(p.failed)))
		} else if all {
			p.notBefore = latest(p.notBefore, now.Add(min(failure.RetryAfter, retryAfterMax)))
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// backoff grows with how often an address has failed, and differs from client to client.
func backoff(failed int) time.Duration {
	most := min(backoffMin<<min(failed, 10), backoffMax)
	return most/2 + rand.N(most/2)
}

// judge returns what a failure means.
func (r *request) judge(e *Error) verdict {
	switch {
	case e.neverSent && e.Code != ErrInvalidRequest:
		return elsewhere
	case e.silent() && (e.Status >= 500 || e.Status < 400), e.Code == ErrInternal, e.Code == ErrOutcomeUnknown:
		if r.manner == read {
			return elsewhere
		}
		return unsure
	case e.Code == ErrNotVersiond:
		return elsewhere
	case e.Status == http.StatusTooManyRequests:
		return crowded
	case e.Status == http.StatusServiceUnavailable, e.Code == ErrTimeout, e.Code == ErrWrongNode && r.manner != once:
		return elsewhere
	}
	return decided
}

// ofTheCluster are the refusals that the cluster itself has decided: they tell what became of a request that was sent
// before, too.
var ofTheCluster = []Code{ErrNotFound, ErrAlreadyExists, ErrRevisionMismatch, ErrBatchRefused}

// giveUp returns the error that a call ends in.
func (t *tries) giveUp(ctx context.Context) error {
	switch {
	case t.last == nil:
		return t.neverBegun(ctx)
	case t.unsure != nil && !slices.Contains(ofTheCluster, t.last.Code):
		return t.outcomeUnknown(ctx)
	case t.request.judge(t.last) == decided:
		return t.last
	}
	return t.summary(ctx)
}

func (t *tries) neverBegun(ctx context.Context) error {
	return &Error{Code: ErrUnavailable, Detail: "there was no time left to ask a node", cause: context.Cause(ctx)}
}

// outcomeUnknown returns why nobody knows, and what came of asking again.
func (t *tries) outcomeUnknown(ctx context.Context) error {
	e, after := *t.unsure, t.summary(ctx)
	e.Code, e.cause = ErrOutcomeUnknown, after.cause
	if t.unsure.Code != ErrOutcomeUnknown {
		e.Detail = "whether this was done is not known, and it may still be done: " + t.unsure.Detail
	}
	if after.Detail != t.unsure.Detail {
		e.Detail += "; then " + after.Error()
	}
	return &e
}

// summary returns what a node has said, if one has, and in any case how it was with each address.
func (t *tries) summary(ctx context.Context) *Error {
	e := *t.last
	var silent []string
	for _, p := range t.addresses {
		switch {
		case p.last == nil:
		case p.last.silent():
			silent = append(silent, p.last.Detail)
		case e.silent():
			e = *p.last
		}
	}
	if e.silent() {
		e.Detail = strings.Join(silent, "; ")
	} else if len(silent) > 0 {
		e.Detail += "; " + strings.Join(silent, "; ")
	}
	if err := context.Cause(ctx); err != nil {
		e.cause = err
	}
	return &e
}

// silent reports whether no node has said anything.
func (e *Error) silent() bool {
	return e.Status == 0 || e.Code == ErrNotVersiond || e.Code == ErrUnavailable
}
