package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// answerBytesMax is above the largest page, of 1,000 records with all that they may say.
	answerBytesMax = 32 << 20
	// answerGrace is how much longer than a node may take its answer is waited for.
	answerGrace = time.Second
	// checkMax is how long a node may take to get the last of a file, from a proxy too, and to check all of it.
	checkMax = 5 * time.Minute
	// timeoutMax is the longest that nodes take.
	timeoutMax = time.Minute
)

// request is what a call asks, of whichever node.
type request struct {
	method string
	// path is escaped.
	path   string
	query  url.Values
	header http.Header
	body   []byte
	// manner is what may be done when no answer comes.
	manner manner
	// untimed requests take no timeout.
	untimed bool
	// upload is sent instead of body, and rewinds.
	upload *upload
	// within is how long the node may take, where it is not 0.
	within time.Duration
	// streamed answers are read by the caller.
	streamed bool
}

// manner is how a request may be repeated.
type manner int

const (
	// read changes nothing.
	read manner = iota
	// keyed changes something, and is done once however often it is sent.
	keyed
	// once changes something, and is not sent again unless it is known that nothing was done.
	once
)

// answer is what a node has said to a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	stream io.ReadCloser
	at     *address
}

// node returns which node has answered, "" when none has: every answer of a node names it.
func (a answer) node() string { return a.header.Get("X-Versiond-Node") }

// succeeded reports whether the status says that all went well, whoever says so.
func (a answer) succeeded() bool {
	return a.status >= 200 && a.status < 300 || a.status == http.StatusNotModified
}

// decode reads the body of an answer.
func (a answer) decode(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return a.unreadable("an answer that cannot be read", err)
	}
	return nil
}

// unreadable is the error of an answer that no node has made, or that has changed on its way.
func (a answer) unreadable(what string, cause error) *Error {
	return &Error{Code: ErrNotVersiond, Status: a.status, Address: a.at.text, Node: a.node(), Detail: a.at.text + " gave " + what, cause: cause}
}

// attempt asks one address once.
func (c *Client) attempt(ctx context.Context, at *address, r *request, timeout time.Duration) (answer, *Error) {
	if r.untimed {
		timeout = timeoutMax
	}
	parent := ctx
	ctx, cancel := context.WithCancel(ctx)
	alarm := time.AfterFunc(r.wait(timeout), cancel)
	keep := false
	defer func() {
		alarm.Stop()
		if !keep {
			cancel()
		}
	}()
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req, err := c.newRequest(traced, at, r, timeout)
	if err != nil {
		return answer{}, &Error{Code: ErrInvalidRequest, Detail: err.Error(), Address: at.text, neverSent: true, cause: err}
	}
	if r.upload != nil {
		r.upload.into(req, alarm, r.wait(timeout))
	}
	response, err := c.http.Do(req)
	if err != nil {
		e := noAnswer(at, tooLate(parent, ctx, err))
		e.neverSent = !connected.Load() && (e.neverSent || c.traces()) // net/http may have dialled to send it again
		return answer{}, e
	}
	c.see(indexOf(response.Header))
	a := answer{status: response.StatusCode, header: response.Header, at: at}
	if r.streamed && a.status == http.StatusOK && a.node() != "" {
		keep, a.stream = true, &stream{body: response.Body, cancel: cancel, at: at}
		return a, nil
	}
	defer response.Body.Close()
	if a.body, err = io.ReadAll(io.LimitReader(response.Body, answerBytesMax)); err != nil {
		return answer{}, noAnswer(at, tooLate(parent, ctx, err))
	}
	return a, refusal(a)
}

// wait returns how long an answer is waited for of a node that has all of the request and may take timeout.
func (r *request) wait(timeout time.Duration) time.Duration {
	if r.upload != nil {
		return timeout + checkMax + answerGrace
	}
	return timeout + answerGrace
}

// traces reports whether a request that got no connection can be told from one that was sent.
func (c *Client) traces() bool {
	_, is := c.http.Transport.(*http.Transport)
	return is
}

// errLate is why a node is given up that has not answered in time; it is not the end of the caller's context.
var errLate = errors.New("no answer in time")

func tooLate(parent, own context.Context, err error) error {
	if parent.Err() == nil && own.Err() != nil {
		return errLate
	}
	return err
}

func (c *Client) newRequest(ctx context.Context, at *address, r *request, timeout time.Duration) (*http.Request, error) {
	query := url.Values{}
	for name, values := range r.query {
		query[name] = values
	}
	if !r.untimed {
		query.Set("timeout", timeout.Round(time.Millisecond).String())
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, at.url(r.path, query), body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", c.userAgent)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

func indexOf(header http.Header) uint64 {
	index, _ := strconv.ParseUint(header.Get("X-Versiond-Index"), 10, 64) // 0 where there is none
	return index
}

// noAnswer is the error of a request to which no answer came, or not all of one.
func noAnswer(at *address, err error) *Error {
	return &Error{
		Code: ErrUnavailable, Address: at.text, Detail: at.text + ": " + words(err), neverSent: neverSent(err), cause: err,
	}
}

// neverSent reports whether a request cannot have reached anybody: there was no connection, or none that was trusted.
func neverSent(err error) bool {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, &certificate) || errors.As(err, &record)
}

// words returns what is wrong without the URL, which would be said twice.
func words(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	var op *net.OpError
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return name.Err + " " + strconv.Quote(name.Name)
	case errors.As(err, &op) && op.Op == "dial":
		return strings.TrimPrefix(op.Err.Error(), "connect: ")
	case errors.Is(err, context.DeadlineExceeded):
		return errLate.Error()
	case errors.Is(err, context.Canceled):
		return "given up before an answer was there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the answer was there"
	}
	return err.Error()
}

// problem is an error answer in the form of RFC 9457.
type problem struct {
	Code      Code         `json:"code"`
	Detail    string       `json:"detail"`
	Errors    []FieldError `json:"errors"`
	Results   []Result     `json:"results"`
	Oldest    uint64       `json:"oldestRevision"`
	RequestID string       `json:"requestId"`
}

// refusal returns the error that an answer is, nil when it is none.
func refusal(a answer) *Error {
	if a.succeeded() && a.node() != "" {
		return nil
	}
	e := &Error{Status: a.status, Address: a.at.text, Node: a.node(), RequestID: a.header.Get("X-Request-Id"), RetryAfter: retryAfter(a.header)}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" || a.succeeded() {
		e.Code, e.Detail = codeOfOthers(a.status), fmt.Sprintf("%s answered %d %s, and not as a node does", a.at.text, a.status, http.StatusText(a.status))
		if a.succeeded() {
			e.Detail += ": no X-Versiond-Node says which one it was" // also where a proxy has taken it out
		}
		return e
	}
	e.Code, e.Detail, e.Fields, e.Results = p.Code, p.Detail, p.Errors, p.Results
	e.Revision, _ = strconv.ParseUint(strings.Trim(strings.TrimPrefix(a.header.Get("Etag"), "W/"), `"`), 10, 64) // 0 where there is none
	e.Revision = max(e.Revision, p.Oldest)
	for i := range e.Results {
		e.Results[i].complete()
	}
	return e
}

// codeOfOthers returns what an answer means that is not a node's: proxies that reach none answer in their place.
func codeOfOthers(status int) Code {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return ErrUnavailable
	}
	return ErrNotVersiond
}

// retryAfter reads the header in both of its forms; what cannot be read is none.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
