package controller_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A backup must name the index that it is of, and be taken as current as was asked.
func TestBackup(t *testing.T) {
	n := mustNode(t)
	answer := n.get(t, "/backup?level=none&min_index=5")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "known\n", answer.Body.String())
	require.Equal(t, "application/octet-stream", answer.Header().Get("Content-Type"))
	require.Contains(t, answer.Header().Get("Content-Disposition"), "versiond-7.backup")
	requireLabels(t, answer, "7")
	require.Equal(t, model.ReadOptions{Level: model.LevelNone, MinIndex: 5}, n.service.opts)

	n.service.fault = model.ErrNotCaughtUp
	requireProblem(t, n.get(t, "/backup"), http.StatusServiceUnavailable, "not_caught_up")
}

// Half a backup must not look like a whole one, although its answer has begun with 200.
func TestBrokenOffBackupFailsTheDownload(t *testing.T) {
	n := mustNode(t)
	n.service.records["broken"] = model.VersionDB{ID: "broken"}
	n.service.records["a"] = model.VersionDB{ID: "a"}
	server := httptest.NewServer(n.public)
	defer server.Close()
	resp, err := http.Get(server.URL + "/backup")
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	require.Error(t, err)
	server.Close() // the handler has ended then
	require.Contains(t, n.log.String(), "broken off")
}

func (n *node) restore(t *testing.T, query string) *httptest.ResponseRecorder {
	t.Helper()
	return n.do(t, request{method: http.MethodPost, path: "/restore" + query, body: "file", header: map[string]string{"Content-Type": "application/octet-stream"}})
}

// What a restore has done is answered with the index that reflects it.
func TestRestore(t *testing.T) {
	n := mustNode(t)
	answer := n.restore(t, "?foreign=true&timeout=10m")
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	require.Equal(t, model.Restored{Records: 1, Index: 8}, mustDecode[model.Restored](t, answer))
	requireLabels(t, answer, "8")
	require.Equal(t, model.RestoreOptions{Foreign: true, Timeout: 10 * time.Minute}, n.service.restore)
	require.Contains(t, n.service.records, "file")

	n.restore(t, "")
	require.Equal(t, model.RestoreOptions{Timeout: time.Minute}, n.service.restore)
}

// Each way in which a restore fails must be told apart: sending the same file again helps only in some.
func TestRestoreFailures(t *testing.T) {
	damaged := &model.ValidationError{Fields: []model.FieldError{{Field: "body", Detail: "is damaged"}}}
	for name, test := range map[string]struct {
		fault  error
		status int
		code   string
	}{
		"damaged":   {damaged, http.StatusBadRequest, "invalid_request"},
		"too large": {errors.Join(damaged, &http.MaxBytesError{Limit: model.BackupBytesMax}), http.StatusRequestEntityTooLarge, "body_too_large"},
		"no leader": {model.ErrNoLeader, http.StatusServiceUnavailable, "no_leader"},
		"unknown":   {model.ErrOutcomeUnknown, http.StatusGatewayTimeout, "outcome_unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			n := mustNode(t)
			n.service.fault = test.fault
			requireProblem(t, n.restore(t, ""), test.status, test.code)
		})
	}
}

// slow returns one byte a read, after a pause.
type slow struct {
	*strings.Reader
	pause time.Duration
}

func (s slow) Read(p []byte) (int, error) {
	<-time.After(s.pause) // the slowness itself is what is tested
	return s.Reader.Read(p[:1])
}

// The server's limit for a request's body is for those that fit in memory: it must not cut off an
// upload that moves, nor end the wait for the cluster after it.
func TestRestoreOutlivesTheServersReadTimeout(t *testing.T) {
	n := mustNode(t)
	server := httptest.NewUnstartedServer(n.public)
	server.Config.ReadTimeout = 100 * time.Millisecond
	server.Start()
	defer server.Close()
	resp, err := http.Post(server.URL+"/restore", "application/octet-stream", slow{strings.NewReader("uploaded"), 40 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, n.service.records, "uploaded")
}
