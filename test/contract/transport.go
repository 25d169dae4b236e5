package contract

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Transport is one whose every answer is held against the description.
type Transport struct {
	T testing.TB
	// PeerAddress is that of the peer port, as host:port; all others are taken for public ports.
	PeerAddress string
	http.RoundTripper
}

// RoundTrip reads what can be held against a schema; other bodies, which may be large, pass by.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err != nil || answer.Header.Get("X-Versiond-Node") == "" { // a proxy in between answers by itself when a node does not
		return answer, err
	}
	var body []byte
	if strings.HasSuffix(answer.Header.Get("Content-Type"), "json") {
		if body, err = io.ReadAll(answer.Body); err != nil {
			return nil, errors.Join(err, answer.Body.Close()) // it broke off
		}
		_ = answer.Body.Close()
		answer.Body = io.NopCloser(bytes.NewReader(body))
	}
	port := Public
	if r.URL.Host == t.PeerAddress {
		port = Peer
	}
	if err := Check(Answer{Port: port, Method: r.Method, Path: r.URL.EscapedPath(), Status: answer.StatusCode, Header: answer.Header, Body: body}); err != nil {
		t.T.Error(err)
	}
	return answer, nil
}
