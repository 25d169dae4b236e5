package measure

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// httpClient writes requests as bytes, over one kept connection.
type httpClient struct {
	conn    net.Conn
	answers *bufio.Reader
	host    string
	out     []byte
}

func dialVersiond(ctx context.Context, address string) (Client, error) {
	conn, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return &httpClient{conn: conn, answers: bufio.NewReader(conn), host: address}, nil
}

// dial bounds all that is done over the connection by the deadline of the context.
func dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		return conn, conn.SetDeadline(deadline)
	}
	return conn, nil
}

func (c *httpClient) Write(id, versionNo string) error {
	body := fmt.Appendf(nil, `{"id":%q,"versionNo":%q,"platform":"android"}`, id, versionNo)
	return c.do(http.MethodPost, "/version", body, http.StatusCreated)
}

func (c *httpClient) Read(id string, level Level) error {
	return c.do(http.MethodGet, "/version/"+url.PathEscape(id)+"?level="+string(level), nil, http.StatusOK)
}

// Check asks whether a client that has a version of this record has to update.
func (c *httpClient) Check(id, current string, level Level) error {
	path := "/version/check?id=" + url.QueryEscape(id) + "&current=" + url.QueryEscape(current) + "&level=" + string(level)
	return c.do(http.MethodGet, path, nil, http.StatusOK)
}

func (c *httpClient) Close() error { return c.conn.Close() }

// do sends a request and reads the answer, which is to have the wanted status.
func (c *httpClient) do(method, path string, body []byte, want int) error {
	if err := c.send(method, path, body); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != want {
		err = &refusedError{fmt.Sprintf("%s %s: %s %.200s", method, path, answer.Status, content)}
	}
	return err
}

func (c *httpClient) send(method, path string, body []byte) error {
	c.out = append(c.out[:0], method...)
	c.out = append(c.out, ' ')
	c.out = append(c.out, path...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: "...)
	c.out = append(c.out, c.host...)
	if body != nil {
		c.out = append(c.out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(body)), 10)
	}
	c.out = append(append(c.out, "\r\n\r\n"...), body...)
	_, err := c.conn.Write(c.out)
	return err
}

// refusedError is an answer that says no; the connection is still good.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return e.text }
