package peer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"versiond/model"
	"versiond/wire"
)

const (
	// dialTimeout is short: a peer that is up answers at once, and a caller that waits has others to ask.
	dialTimeout = time.Second
	// statusTimeout bounds questions that a healthy node answers from memory.
	statusTimeout = 2 * time.Second
	// answerBytesMax bounds what is read of an answer; the largest is a page of records.
	answerBytesMax = 8 << 20
)

// Client asks other nodes. It keeps connections open between requests and may be used from any
// goroutine. Errors match the sentinels of package model.
type Client struct {
	http    *http.Client
	cluster func() string
	secret  string
}

// NewClient makes a client that says it is of the cluster that cluster names at the moment, "" while
// the node has none, and that shows the cluster's secret.
func NewClient(cluster func() string, secret string) *Client {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	return &Client{cluster: cluster, secret: secret, http: &http.Client{Transport: &http.Transport{
		DialContext:         dialer.DialContext,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}}}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks the node at address for its state.
func (c *Client) Status(ctx context.Context, address string) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	return ask[Status](ctx, c, request{method: http.MethodGet, address: address, path: "/status"})
}

// Term gives the current Raft term of node id; model.ErrWrongNode when another node answers.
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
func (c *Client) ReadIndex(ctx context.Context, address string, level model.Level) (uint64, error) {
	answer, err := ask[Index](ctx, c, request{method: http.MethodGet, address: address, path: "/read-index", query: url.Values{"level": {string(level)}}})
	return answer.Index, err
}

// Commands hands commands to the leader, and gives their outcomes and the applied index they
// reflect. After model.ErrNotLeader, ErrTooManyRequests and ErrStoreUnavailable nothing was proposed;
// whenever the answer is lost the outcome is unknown.
func (c *Client) Commands(ctx context.Context, address string, commands []model.Command) ([]model.Outcome, uint64, error) {
	r := request{method: http.MethodPost, address: address, path: "/command", contentType: CommandsType, body: wire.AppendCommands(nil, commands), write: true}
	data, err := c.do(ctx, r)
	if err != nil {
		return nil, 0, err
	}
	index, outcomes, err := wire.DecodeOutcomes(data)
	if err != nil || len(outcomes) != len(commands) {
		return nil, 0, fmt.Errorf("%w: %d outcomes for %d commands: %w", model.ErrOutcomeUnknown, len(outcomes), len(commands), err)
	}
	return outcomes, index, nil
}

// Get reads a record as the node at address has it applied.
func (c *Client) Get(ctx context.Context, address, id string, opts model.ReadOptions) (model.Result, error) {
	r := request{method: http.MethodGet, address: address, path: "/version/" + url.PathEscape(id), query: readQuery(opts)}
	return ask[model.Result](ctx, c, r)
}

// List reads a page of records as the node at address has them applied.
func (c *Client) List(ctx context.Context, address string, list model.ListOptions, opts model.ReadOptions) (Listing, error) {
	query := readQuery(opts)
	query.Set("platform", list.Platform)
	query.Set("after", list.After)
	query.Set("limit", strconv.Itoa(list.Limit))
	return ask[Listing](ctx, c, request{method: http.MethodGet, address: address, path: "/version", query: query})
}

// Listing is the answer to GET /version on the peer port.
type Listing struct {
	Page  model.Page
	Index uint64
}

func readQuery(opts model.ReadOptions) url.Values {
	return url.Values{"level": {string(opts.Level)}, "min_index": {strconv.FormatUint(opts.MinIndex, 10)}}
}

// Join asks a member to take in the node that answers at nodeAddress.
func (c *Client) Join(ctx context.Context, address, id, nodeAddress string, voter bool) (model.Member, error) {
	query := url.Values{"id": {id}, "addr": {nodeAddress}, "voter": {strconv.FormatBool(voter)}}
	return ask[model.Member](ctx, c, request{method: http.MethodGet, address: address, path: "/", query: query})
}

// Remove asks the leader to remove a member.
func (c *Client) Remove(ctx context.Context, address, id string, force bool) error {
	query := url.Values{"force": {strconv.FormatBool(force)}}
	_, err := c.do(ctx, request{method: http.MethodDelete, address: address, path: "/peer/" + url.PathEscape(id), query: query})
	return err
}

// Transfer asks the leader to hand leadership to a voter.
func (c *Client) Transfer(ctx context.Context, address, id string) (model.Leader, error) {
	return ask[model.Leader](ctx, c, request{method: http.MethodPost, address: address, path: "/leader/" + url.PathEscape(id)})
}

// Admit tells a node that the cluster has taken it in.
func (c *Client) Admit(ctx context.Context, address string, admission Admission) error {
	body, err := json.Marshal(admission)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, request{method: http.MethodPost, address: address, path: "/admit", contentType: "application/json", body: body})
	return err
}

type request struct {
	// path is escaped already.
	method, address, path string
	query                 url.Values
	contentType           string
	body                  []byte
	// write marks a request after which, without an answer, nobody knows what happened.
	write bool
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
	req, err := http.NewRequestWithContext(ctx, r.method, "http://"+r.address+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, r.address, err)
	}
	req.URL.RawQuery = r.query.Encode()
	c.setHeaders(req, r)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, r.failed(err)
	}
	defer func() { _ = resp.Body.Close() }() // everything that matters was read
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax))
	if err != nil {
		return nil, r.failed(err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, problemError(r.address, resp.StatusCode, data)
	}
	return data, nil
}

func (c *Client) setHeaders(req *http.Request, r request) {
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if cluster := c.cluster(); cluster != "" {
		req.Header.Set(ClusterHeader, cluster)
	}
	if c.secret != "" {
		req.Header.Set(SecretHeader, c.secret)
	}
}
