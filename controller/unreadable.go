package controller

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// plainRefusal is in every answer of net/http to what it cannot read as a request, and in no other: those
// have more headers.
var plainRefusal = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

// unreadableBytesMax is above the length of such an answer.
const unreadableBytesMax = 512

// unreadable is what each of them is answered with instead.
var unreadable = map[int]struct{ code, detail string }{
	http.StatusBadRequest: {"invalid_request", "this is no HTTP request that can be read: its first line or one of its headers is malformed " +
		"(in a path % has to be followed by two hexadecimal digits, and is itself written as %25)"},
	http.StatusRequestHeaderFieldsTooLarge: {"header_too_large", "the headers of the request are larger than the 32 KiB that a node takes"},
	http.StatusNotImplemented:              {"not_supported", "the body has a Transfer-Encoding that is not taken; send it as it is, or chunked"},
	http.StatusHTTPVersionNotSupported:     {"not_supported", "the request is of a version of HTTP that is not spoken here; use HTTP/1.1"},
}

// AsProblem returns what net/http answers by itself, before any handler is asked, in the form of all other errors, and
// any other answer as it is.
func (f *frame) AsProblem(answer []byte) []byte {
	if len(answer) > unreadableBytesMax || !bytes.Contains(answer, plainRefusal) {
		return answer
	}
	line, _, _ := strings.Cut(string(answer), "\r\n")
	_, status, _ := strings.Cut(line, " ")
	number, _, _ := strings.Cut(status, " ")
	code, _ := strconv.Atoi(number)
	words, known := unreadable[code]
	if !known {
		return answer
	}
	if _, reason, told := strings.Cut(status, ": "); told && code == http.StatusBadRequest {
		words.detail = reason
	}
	return f.problemOnWire(code, words.code, words.detail)
}

// NeedsTLS returns the answer to a client that speaks plain HTTP to a port for TLS.
func (f *frame) NeedsTLS() []byte {
	return f.problemOnWire(http.StatusBadRequest, "tls_required", "this port speaks TLS: use https:// and the authority that signed the node's certificate")
}

// PeerNeedsTLS is NeedsTLS for the peer port.
func (f *frame) PeerNeedsTLS() []byte {
	return f.problemOnWire(http.StatusBadRequest, "tls_required", "this peer port speaks TLS; give the node that asks cluster.certFile")
}

// problemOnWire returns a whole answer, after which the connection ends.
func (f *frame) problemOnWire(status int, code, detail string) []byte {
	id := rand.Text()
	body, _ := json.Marshal(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, RequestID: id})
	answer := http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: true, ContentLength: int64(len(body) + 1), Header: http.Header{
		"Content-Type": {problemType}, headerNode: f.node, headerRequestID: {id},
		headerIndex: {strconv.FormatUint(f.service.AppliedIndex(), 10)},
	}}
	answer.Body = io.NopCloser(bytes.NewReader(append(body, '\n')))
	var whole bytes.Buffer
	_ = answer.Write(&whole) // a buffer takes everything
	return whole.Bytes()
}
