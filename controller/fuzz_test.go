package controller_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/peer"
	"versiond/test/load/badrequests"
	"versiond/test/units"
	"versiond/wire"
)

// FuzzRequests sends anything to both ports. Whatever comes, the answer is never a panic or an internal
// error, every refusal is a problem document, and what is stored is what every node would take again.
func FuzzRequests(f *testing.F) { // slow
	for _, c := range badrequests.Public() {
		f.Add(false, c.Method, c.Path, "Content-Type: "+c.Header["Content-Type"], []byte(c.Body))
	}
	f.Add(false, "POST", "/version", "Content-Type: application/json", []byte(`{"id":"a","versionNo":"1","platform":"\u6f22"}`))
	f.Add(false, "PUT", "/version/known", "If-Match: \"28672\"\r\nContent-Type: application/json", []byte(`{"versionNo":"2","platform":"linux"}`))
	f.Add(false, "GET", "/version/known?level=none&min_index=3&timeout=1s", "If-None-Match: W/\"28672\", *", []byte{})
	f.Add(false, "GET", "/version?platform=linux&limit=2&cursor="+model.EncodeCursor("a"), "Accept: */*", []byte{})
	f.Add(false, "POST", "/version/batch", "Content-Type: application/json", []byte(`{"items":[{"op":"add","id":"a","versionNo":"1","platform":"linux"}]}`))
	f.Add(true, "POST", "/command?timeout=1s", "Content-Type: "+peer.CommandsType, wire.AppendUnits(nil, units.Singles(model.Command{Type: model.CommandAdd, ID: "a", VersionNo: "1", Platform: "linux"})))
	f.Add(true, "POST", "/admit", "Content-Type: application/json", []byte(`{"cluster":"c","replica":true}`))
	f.Add(true, "GET", "/?id=node4&addr=127.0.0.1:7004&voter=false", peer.ClusterHeader+": cluster1", []byte{})
	f.Add(true, "GET", "/read-index?level=leader", "X-Request-Id: 1", []byte{})
	n := mustNode(f)
	f.Fuzz(func(t *testing.T, toPeers bool, method, target, header string, body []byte) {
		req, err := parse(method, target, header, body)
		if err != nil || strings.HasPrefix(req.URL.Path, "/metrics") { // net/http refuses it; this node measures nothing
			return
		}
		handler := n.public
		if toPeers {
			handler = n.peer
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, req)
		requireSane(t, answer)
		_, records, _ := n.service.snapshot()
		for id, record := range records {
			require.NoError(t, model.ValidateRecord(record))
			require.Equal(t, id, record.ID)
		}
		n.service.reset()
	})
}

// parse reads a request as a server does.
func parse(method, target, header string, body []byte) (*http.Request, error) {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: node1\r\nContent-Length: %d\r\n%s\r\n\r\n", method, target, len(body), header)
	return http.ReadRequest(bufio.NewReader(bytes.NewReader(append([]byte(head), body...))))
}

func requireSane(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	require.NotEqual(t, http.StatusInternalServerError, answer.Code, answer.Body.String())
	require.Equal(t, "node1", answer.Header().Get("X-Versiond-Node"))
	if answer.Code < http.StatusBadRequest {
		return
	}
	require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
	var problem controller.Problem
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &problem))
	require.Equal(t, answer.Code, problem.Status)
	require.NotEmpty(t, problem.Code)
	require.NotEmpty(t, problem.Detail)
}
