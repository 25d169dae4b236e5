package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"versiond/peer"
)

type body map[string]any

type request struct {
	method, path string // path is escaped and has its query
	header       map[string]string
	body         body
	peer         bool
}

// do returns the index that the answer is labelled with, that of an error answer too, and decodes the
// answer into out unless it is nil.
func (c *Client) do(ctx context.Context, r request, out any) (index uint64, err error) {
	var content []byte
	if r.body != nil {
		if content, err = json.Marshal(r.body); err != nil {
			return 0, err
		}
		r.header = withJSON(r.header)
	}
	return c.doContent(ctx, r, content, out)
}

// doContent is do with a body that is there already.
func (c *Client) doContent(ctx context.Context, r request, content []byte, out any) (index uint64, err error) {
	req, err := c.newRequest(ctx, r, content)
	if err != nil {
		return 0, err
	}
	status, header, answer, err := c.exchange(req)
	if err != nil {
		return 0, err
	}
	if status >= http.StatusMultipleChoices {
		index, _ = strconv.ParseUint(header.Get("X-Versiond-Index"), 10, 64) // 0 is what no label says
		return index, problemOf(status, answer)
	}
	index, err = strconv.ParseUint(header.Get("X-Versiond-Index"), 10, 64)
	if err == nil && out != nil {
		err = json.Unmarshal(answer, out)
	}
	return index, err
}

func withJSON(header map[string]string) map[string]string {
	all := map[string]string{"Content-Type": "application/json"}
	for name, value := range header {
		all[name] = value
	}
	return all
}

// problemOf reads an error answer; one of /readyz, which is no problem document, is its own detail.
func problemOf(status int, answer []byte) error {
	problem := &Problem{Status: status}
	if err := json.Unmarshal(answer, problem); err != nil || problem.Code == "" {
		problem.Detail = string(answer)
	}
	return problem
}

func (c *Client) newRequest(ctx context.Context, r request, content []byte) (*http.Request, error) {
	host := c.public
	if r.peer {
		host = c.peer
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "http://"+host+r.path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	switch {
	case r.peer && c.secret != "":
		req.Header.Set(peer.SecretHeader, c.secret)
	case !r.peer && c.token != "":
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	return req, nil
}

func (c *Client) exchange(req *http.Request) (status int, header http.Header, answer []byte, err error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, answerBytesMax))
	return resp.StatusCode, resp.Header, answer, err
}
