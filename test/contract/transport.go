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
	port := Public
	if r.URL.Host == t.PeerAddress {
		port = Peer
	}
	described := Answer{Port: port, Method: r.Method, Path: r.URL.EscapedPath(), Status: answer.StatusCode, Header: answer.Header}
	if isStream(answer.Header) {
		answer.Body = &stream{ReadCloser: answer.Body, answer: described, t: t.T}
		return answer, nil
	}
	if strings.HasSuffix(answer.Header.Get("Content-Type"), "json") {
		if body, err = io.ReadAll(answer.Body); err != nil {
			return nil, errors.Join(err, answer.Body.Close()) // it broke off
		}
		_ = answer.Body.Close()
		answer.Body = io.NopCloser(bytes.NewReader(body))
	}
	described.Body = body
	if err := Check(described); err != nil {
		t.T.Error(err)
	}
	return answer, nil
}

// stream holds what is read of an answer that goes on against the description.
type stream struct {
	io.ReadCloser
	answer Answer
	t      testing.TB
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.answer.Body = append(s.answer.Body, p[:n]...)
	if end := bytes.LastIndexByte(s.answer.Body, '\n'); end >= 0 {
		whole := s.answer
		whole.Body = whole.Body[:end+1]
		if err := Check(whole); err != nil {
			s.t.Error(err)
		}
		s.answer.Body = bytes.Clone(s.answer.Body[end+1:])
	}
	return n, err
}
