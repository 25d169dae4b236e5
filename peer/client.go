package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"versiond/certs"
	"versiond/model"
	"versiond/wire"
)

const (
	// dialTimeout is short: a peer that is up answers at once, and a caller that waits has others to ask.
	dialTimeout = time.Second
	// statusTimeout bounds questions that a healthy node answers from memory.
	statusTimeout = 2 * time.Second
	// timeoutMax is the longest time that a node may be asked to take.
	timeoutMax = time.Minute
	// answerMargin is how much of the caller's time is kept for the answer to come back, or a quarter where that is
	// less: a node that takes all of it says in vain that nothing was done.
	answerMargin = 250 * time.Millisecond
	// answerBytesMax bounds what is read of an answer; the largest is what the updates of an entry leave of the longest records.
	answerBytesMax = 16 << 20
)

// Client asks other nodes. It keeps connections open between requests and may be used from any
// goroutine. Errors match the sentinels of package model.
type Client struct {
	http    *http.Client
	scheme  string
	cluster func() string
	secret  string
}

// noRedirect keeps requests, and the secret in them, from going where an answer points.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// NewClient makes a client that says it is of the cluster that cluster names at the moment, "" while
// the node has none, and that shows the cluster's secret. With a keeper the nodes prove by certificates that they are
// nodes; nil is for plain connections.
func NewClient(cluster func() string, secret string, keeper *certs.Keeper) *Client {
	transport := &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, DisableCompression: true}
	scheme := "http://"
	if keeper != nil {
		scheme, transport.DialTLSContext = "https://", secure(keeper)
	}
	return &Client{scheme: scheme, cluster: cluster, secret: secret, http: &http.Client{CheckRedirect: noRedirect, Transport: transport}}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks the node at address for its state.
func (c *Client) Status(ctx context.Context, address string) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	return ask[Status](ctx, c, request{method: http.MethodGet, address: address, path: "/status"})
}

// Identify asks who is at address, of whatever cluster that node is: Status is refused by the members of
// another cluster.
func (c *Client) Identify(ctx context.Context, address string) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	return ask[Status](ctx, c, request{method: http.MethodGet, address: address, path: "/status", anyCluster: true})
}

// Term returns the current Raft term of node id; model.ErrWrongNode when another node answers.
func (c *Client) Term(ctx context.Context, id, address string) (uint64, error) {
	answer, err := ask[Term](ctx, c, request{method: http.MethodGet, address: address, path: "/term"})
	if err != nil {
		return 0, err
	}
	if answer.Node != id || answer.Cluster != c.cluster() {
		return 0, fmt.Errorf("%w: %s instead of %s at %s", model.ErrWrongNode, answer.Node, id, address)
	}
	return answer.Term, nil
}

// ReadIndex asks the leader for an index to read at.
func (c *Client) ReadIndex(ctx context.Context, address string, level model.Level, ack model.TermAck) (uint64, error) {
	query := ackQuery(ack)
	query.Set("level", string(level))
	answer, err := ask[Index](ctx, c, request{method: http.MethodGet, address: address, path: "/read-index", query: query})
	return answer.Index, err
}

// Read has the leader answer the queries of a follower's clients, and returns the answers in their order, with the
// applied index that they reflect. They may ask for wire.ReadsMax rows.
func (c *Client) Read(ctx context.Context, address string, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	query := ackQuery(ack)
	query.Set("level", string(opts.Level))
	query.Set("min_index", strconv.FormatUint(opts.MinIndex, 10))
	r := request{method: http.MethodPost, address: address, path: "/read", query: query, contentType: QueriesType, body: wire.AppendQueries(nil, queries), waits: true}
	data, err := c.do(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	index, found, err := wire.DecodeFound(data)
	if err == nil && !slices.EqualFunc(found, queries, fits) {
		err = fmt.Errorf("%w: the %d answers of %s do not fit the %d queries", model.ErrCorrupt, len(found), address, len(queries))
	}
	return found, index, err
}

// fits reports whether what was found may be the answer to a query.
func fits(f model.Found, q model.Query) bool {
	pageAsked := q.Page != nil || q.Candidates != nil
	return (f.Page != nil) == pageAsked && (f.History == nil || q.History != nil)
}

func ackQuery(w model.TermAck) url.Values {
	query := url.Values{"term": {strconv.FormatUint(w.Term, 10)}}
	if w.Node != "" {
		query.Set("node", w.Node)
	}
	return query
}

// Commands hands units of commands to the leader, and returns their outcomes and the applied index they
// reflect. After model.ErrNotLeader, ErrTooManyRequests and ErrStoreUnavailable nothing was proposed;
// whenever the answer is lost the outcome is unknown.
func (c *Client) Commands(ctx context.Context, address string, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	r := request{method: http.MethodPost, address: address, path: "/command", contentType: CommandsType, body: wire.AppendUnits(nil, units), write: true, waits: true}
	data, err := c.do(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	index, outcomes, err := wire.DecodeOutcomes(data)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", model.ErrOutcomeUnknown, err)
	}
	if !answers(outcomes, units) {
		return nil, 0, fmt.Errorf("%w: the outcomes of %d units do not fit the %d that were sent", model.ErrOutcomeUnknown, len(outcomes), len(units))
	}
	return outcomes, index, nil
}

// answers reports whether each command has its outcome.
func answers(outcomes []model.UnitOutcome, units []model.Unit) bool {
	return slices.EqualFunc(outcomes, units, func(o model.UnitOutcome, u model.Unit) bool { return len(o.Outcomes) == len(u.Commands) })
}

// Join asks a member to take in the node that answers at nodeAddress.
func (c *Client) Join(ctx context.Context, address, id, nodeAddress string, voter bool) (model.Member, error) {
	query := url.Values{"id": {id}, "addr": {nodeAddress}, "voter": {strconv.FormatBool(voter)}}
	return ask[model.Member](ctx, c, request{method: http.MethodGet, address: address, path: "/", query: query, waits: true})
}

// Remove asks the leader to remove a member.
func (c *Client) Remove(ctx context.Context, address, id string, force bool) error {
	query := url.Values{"force": {strconv.FormatBool(force)}}
	_, err := c.do(ctx, request{method: http.MethodDelete, address: address, path: "/peer/" + url.PathEscape(id), query: query, waits: true, notFound: model.ErrNoSuchMember})
	return err
}

// Transfer asks the leader to hand leadership to a voter.
func (c *Client) Transfer(ctx context.Context, address, id string) (model.Leader, error) {
	return ask[model.Leader](ctx, c, request{method: http.MethodPost, address: address, path: "/leader/" + url.PathEscape(id), waits: true, notFound: model.ErrNoSuchMember})
}

// Admit notifies a node that the cluster has taken it in.
func (c *Client) Admit(ctx context.Context, address string, admission Admission) error {
	body, err := json.Marshal(admission)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, request{method: http.MethodPost, address: address, path: "/admit", contentType: "application/json", body: body})
	return err
}

// Restore sends a backup of so many bytes to the leader, which checks it again and puts its records in
// the place of all records. When the answer is lost the outcome is unknown.
func (c *Client) Restore(ctx context.Context, address string, backup io.Reader, size int64, opts model.RestoreOptions) (model.Restored, error) {
	query := url.Values{"foreign": {strconv.FormatBool(opts.Foreign)}, "timeout": {opts.Timeout.String()}}
	r := request{method: http.MethodPost, address: address, path: "/restore", query: query, contentType: "application/octet-stream", stream: backup, size: size, write: true}
	return ask[model.Restored](ctx, c, r)
}

type request struct {
	// path is escaped already.
	method, address, path string
	query                 url.Values
	contentType           string
	body                  []byte
	// stream is a body of so many bytes that does not fit in memory.
	stream io.Reader
	size   int64
	// write marks a request after which, without an answer, nobody knows what happened.
	write bool
	// notFound is what a 404 means, where it is not a record that is not found.
	notFound error
	// anyCluster marks a request that nodes of every cluster answer.
	anyCluster bool
	// waits marks a request that the other node may take the caller's whole time for, and is told so.
	waits bool
}

func ask[T any](ctx context.Context, c *Client, r request) (answer T, err error) {
	data, err := c.do(ctx, r)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("%w: the answer of %s to %s %s: %w", model.ErrCorrupt, r.address, r.method, r.path, err)
	}
	return answer, nil
}

func (c *Client) do(ctx context.Context, r request) ([]byte, error) {
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, r.address, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, r.failed(err, sent.Load())
	}
	defer func() { _ = resp.Body.Close() }() // everything that matters was read
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax))
	if err != nil {
		return nil, r.failed(err, true)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, r.problemError(resp.StatusCode, resp.Header, data)
	}
	return data, nil
}

func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.scheme+r.address+r.path, r.content())
	if err != nil {
		return nil, err
	}
	if r.stream != nil {
		req.ContentLength = r.size
	}
	req.URL.RawQuery = r.queryWithTimeout(ctx)
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	req.Header.Set(NodeHeader, "1")
	if cluster := c.cluster(); cluster != "" && !r.anyCluster {
		req.Header.Set(ClusterHeader, cluster)
	}
	if c.secret != "" {
		req.Header.Set(SecretHeader, c.secret)
	}
	return req, nil
}

func (r request) content() io.Reader {
	if r.stream != nil {
		return r.stream
	}
	return bytes.NewReader(r.body)
}

// queryWithTimeout returns the encoded query. That of a request that waits bounds the other node by what is left of the
// caller's time.
func (r request) queryWithTimeout(ctx context.Context) string {
	deadline, ok := ctx.Deadline()
	left := time.Until(deadline)
	left = min(left-min(left/4, answerMargin), timeoutMax)
	if !r.waits || !ok || left <= 0 {
		return r.query.Encode()
	}
	if r.query == nil {
		return "timeout=" + left.String()
	}
	r.query.Set("timeout", left.String())
	return r.query.Encode()
}
