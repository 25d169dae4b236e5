package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"versiond/model"
	"versiond/peer"
	"versiond/test/contract"
)

const (
	// clientTimeout is longer than any node takes by default, so that its own answer is seen.
	clientTimeout  = 10 * time.Second
	answerBytesMax = 64 << 20
	pageSize       = 500
)

// Problem is an error answer of a node.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// OldestRevision is, of a revision_gone, where to go on.
	OldestRevision uint64 `json:"oldestRevision"`
}

// Error returns status, code and detail.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// CodeOf returns the code of a Problem, "" for other errors and for none.
func CodeOf(err error) string {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem.Code
	}
	return ""
}

// Unknown reports whether a write that ended in err may have been done all the same: no answer came, or
// one that says so. A connection that could not be made, and every other answer, promise that it
// was not.
func Unknown(err error) bool {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem.Code == "outcome_unknown" || problem.Status == http.StatusInternalServerError
	}
	var dial *net.OpError
	return err != nil && !(errors.As(err, &dial) && dial.Op == "dial")
}

// Refused reports whether err promises that a write was not done, because the cluster could not or because
// nobody was reached.
func Refused(err error) bool { return err != nil && !Unknown(err) && passing(err) }

// Client asks one node as a user would. It may be used from any goroutine.
type Client struct {
	http          *http.Client
	public, peer  string
	token, secret string
}

// NewClient makes a client of the node with these ports, as host:port. Its connections end with the
// test, and every answer is held against the description of the API.
func NewClient(t testing.TB, public, peer string) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	checked := contract.Transport{T: t, PeerAddress: peer, RoundTripper: transport}
	return &Client{http: &http.Client{Transport: checked, Timeout: clientTimeout}, public: public, peer: peer}
}

// dialBy makes connections in another way. It is for clients that nobody uses yet.
func (c *Client) dialBy(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.http.Transport.(contract.Transport).RoundTripper.(*http.Transport).DialContext = dial
}

// String returns the public port.
func (c *Client) String() string { return c.public }

// As returns a client that sends this token to the public port and shows this secret to the peer port;
// of either "" is none.
func (c *Client) As(token, secret string) *Client {
	other := *c
	other.token, other.secret = token, secret
	return &other
}

// Within returns a client that waits this long for each answer.
func (c *Client) Within(timeout time.Duration) *Client {
	other, patient := *c, *c.http
	patient.Timeout = timeout
	other.http = &patient
	return &other
}

// Add creates a record.
func (c *Client) Add(ctx context.Context, record model.VersionDB) (model.Result, error) {
	return c.record(ctx, http.MethodPost, "/version", nil, bodyOf(record))
}

func bodyOf(record model.VersionDB) (b body) {
	text, _ := json.Marshal(record) // texts and numbers always can be
	_ = json.Unmarshal(text, &b)
	delete(b, "revision")
	return b
}

// Update replaces a record, whatever its revision when ifRevision is 0. Details that are not set stay as they are.
func (c *Client) Update(ctx context.Context, record model.VersionDB, ifRevision uint64) (model.Result, error) {
	return c.record(ctx, http.MethodPut, recordPath(record.ID), ifMatch(ifRevision), bodyOf(record))
}

// Delete removes a record, whatever its revision when ifRevision is 0, and returns the index from which
// on it is gone.
func (c *Client) Delete(ctx context.Context, id string, ifRevision uint64) (index uint64, err error) {
	return c.do(ctx, request{method: http.MethodDelete, path: recordPath(id), header: ifMatch(ifRevision)}, nil)
}

// Get reads a record.
func (c *Client) Get(ctx context.Context, id string, opts model.ReadOptions) (model.Result, error) {
	return c.record(ctx, http.MethodGet, recordPath(id)+"?"+readQuery(opts).Encode(), nil, nil)
}

// Latest reads the record with the newest version of those that query asks for.
func (c *Client) Latest(ctx context.Context, which url.Values, opts model.ReadOptions) (model.Result, error) {
	query := readQuery(opts)
	maps.Copy(query, which)
	return c.record(ctx, http.MethodGet, "/version/latest?"+query.Encode(), nil, nil)
}

// List reads all pages, in the order in which they came.
func (c *Client) List(ctx context.Context, opts model.ReadOptions) ([]model.VersionDB, error) {
	query := readQuery(opts)
	query.Set("limit", strconv.Itoa(pageSize))
	var all []model.VersionDB
	for {
		var page struct {
			Items      []model.VersionDB `json:"items"`
			NextCursor string            `json:"nextCursor"`
		}
		if _, err := c.do(ctx, request{method: http.MethodGet, path: "/version?" + query.Encode()}, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

// historyPage is small, so that histories have several pages.
const historyPage = 40

// History reads all pages of the changes of a record, the newest first and without details, and whether they go back to its creation.
func (c *Client) History(ctx context.Context, id string, opts model.ReadOptions) (changes []model.Change, complete bool, err error) {
	query := readQuery(opts)
	query.Set("limit", strconv.Itoa(historyPage))
	for {
		var page struct {
			Items []struct {
				Revision                         uint64
				Op                               model.ChangeOp
				VersionNo, Platform, WasPlatform string
			}
			NextCursor string
			Complete   bool
		}
		if _, err := c.do(ctx, request{method: http.MethodGet, path: recordPath(id) + "/history?" + query.Encode()}, &page); err != nil {
			return nil, false, err
		}
		for _, item := range page.Items {
			changes = append(changes, model.Change{ID: id, Revision: item.Revision, Op: item.Op, VersionNo: item.VersionNo, Platform: item.Platform, WasPlatform: item.WasPlatform})
		}
		if page.NextCursor == "" {
			return changes, page.Complete, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

func (c *Client) record(ctx context.Context, method, path string, header map[string]string, b body) (result model.Result, err error) {
	result.Index, err = c.do(ctx, request{method: method, path: path, header: header, body: b}, &result.Record)
	return result, err
}

func recordPath(id string) string { return "/version/" + url.PathEscape(id) }

func ifMatch(revision uint64) map[string]string {
	if revision == 0 {
		return nil
	}
	return map[string]string{"If-Match": `"` + strconv.FormatUint(revision, 10) + `"`}
}

func readQuery(opts model.ReadOptions) url.Values {
	query := url.Values{}
	if opts.Level != "" {
		query.Set("level", string(opts.Level))
	}
	if opts.MinIndex != 0 {
		query.Set("min_index", strconv.FormatUint(opts.MinIndex, 10))
	}
	return query
}

// Leader asks who leads.
func (c *Client) Leader(ctx context.Context) (leader model.Leader, err error) {
	_, err = c.do(ctx, request{method: http.MethodGet, path: "/leader"}, &leader)
	return leader, err
}

// Transfer hands leadership to a voter.
func (c *Client) Transfer(ctx context.Context, id string) (leader model.Leader, err error) {
	_, err = c.do(ctx, request{method: http.MethodPost, path: "/leader/" + id}, &leader)
	return leader, err
}

// Peers lists the members.
func (c *Client) Peers(ctx context.Context) (peers model.Peers, err error) {
	_, err = c.do(ctx, request{method: http.MethodGet, path: "/peers"}, &peers)
	return peers, err
}

// Join makes the node at address a member.
func (c *Client) Join(ctx context.Context, id, address string, voter bool) (member model.Member, err error) {
	path := "/join/" + id + "/" + address + "?voter=" + strconv.FormatBool(voter)
	_, err = c.do(ctx, request{method: http.MethodPost, path: path}, &member)
	return member, err
}

// Remove removes a member.
func (c *Client) Remove(ctx context.Context, id string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: "/peer/" + id}, nil)
	return err
}

// Ready returns nil when the node is ready, and otherwise what it says is missing.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/readyz"}, nil)
	return err
}

// Status asks the peer port for the node's state.
func (c *Client) Status(ctx context.Context) (status peer.Status, err error) {
	_, err = c.do(ctx, request{method: http.MethodGet, path: "/status", peer: true}, &status)
	return status, err
}

// Send makes any request of the public port, or of the peer port, and returns the answer as it came.
func (c *Client) Send(ctx context.Context, toPeerPort bool, method, path string, header map[string]string, content string) (status int, answer []byte, err error) {
	req, err := c.newRequest(ctx, request{method: method, path: path, header: header, peer: toPeerPort}, []byte(content))
	if err != nil {
		return 0, nil, err
	}
	status, _, answer, err = c.exchange(req)
	return status, answer, err
}
