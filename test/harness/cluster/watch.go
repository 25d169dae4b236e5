package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"versiond/model"
)

// Event is one of a stream of changes.
type Event struct {
	Type     string
	Revision uint64
	ID       string
	Record   *model.VersionDB
	Code     string
}

// Watch follows what is written, as query asks, and tells of it while tell wants more. It returns nil when the node ends the
// stream.
func (c *Client) Watch(ctx context.Context, query url.Values, tell func(Event) (more bool)) error {
	req, err := c.newRequest(ctx, request{method: http.MethodGet, path: "/version/watch?" + query.Encode()}, nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax))
		return problemOf(answer.StatusCode, text)
	}
	for lines := bufio.NewReader(answer.Body); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if !tell(e) {
			return nil
		}
	}
}
