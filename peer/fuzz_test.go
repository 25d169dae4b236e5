package peer

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/wire"
)

// answering is a transport on which every request gets one answer.
type answering struct {
	status int
	index  string
	body   []byte
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	header := http.Header{"X-Versiond-Index": {a.index}}
	if a.status/100 == 3 {
		header.Set("Location", "http://elsewhere.invalid/")
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}

// FuzzAnswers reads anything as another node's answer. It never panics, and every failure is one that
// the service knows; of a write nothing is claimed that the answer does not say.
func FuzzAnswers(f *testing.F) { // slow
	unit := model.Single(model.Command{Type: model.CommandDelete, ID: "a"})
	done := []model.UnitOutcome{{Outcomes: []model.Outcome{{Code: model.OutcomeDone, Revision: 4096}}}}
	f.Add(uint16(200), "7", wire.AppendOutcomes(nil, 7, done))
	f.Add(uint16(200), "7", []byte(`{"node":"node2","cluster":"c1","term":3,"index":5,"port":8082,"items":[{"id":"a"}],"nextCursor":""}`))
	f.Add(uint16(200), "7", wire.AppendFound(nil, 7, []model.Found{{Page: &model.Page{}}}))
	f.Add(uint16(200), "x", []byte(`null`))
	f.Add(uint16(302), "", []byte{})
	f.Add(uint16(404), "7", []byte(`{"code":"not_found","detail":"no"}`))
	f.Add(uint16(429), "7", []byte(`{"code":"too_many_requests","errors":[{"field":"id"}]}`))
	f.Add(uint16(502), "", []byte("<html>a proxy</html>"))
	f.Fuzz(func(t *testing.T, status uint16, index string, body []byte) {
		c := NewClient(func() string { return "c1" }, "", nil)
		c.http.Transport = answering{status: 200 + (int(status)+200)%400, index: index, body: body}
		_, errStatus := c.Status(t.Context(), "node2:7002")
		_, errTerm := c.Term(t.Context(), "node2", "node2:7002")
		_, errIndex := c.ReadIndex(t.Context(), "node2:7002", model.LevelLeader, model.TermAck{})
		_, _, errRead := c.Read(t.Context(), "node2:7002", []model.Query{{ID: "a"}}, model.ReadOptions{}, model.TermAck{})
		_, _, errPage := c.Read(t.Context(), "node2:7002", []model.Query{{Page: &model.ListOptions{Limit: 1}}}, model.ReadOptions{}, model.TermAck{})
		_, errJoin := c.Join(t.Context(), "node2:7002", "a", "node3:7003", true)
		for _, err := range []error{errStatus, errTerm, errIndex, errRead, errPage, errJoin} {
			require.True(t, err == nil || known(err), "%v", err)
		}
		outcomes, _, err := c.Commands(t.Context(), "node2:7002", []model.Unit{unit})
		if err == nil {
			require.Len(t, outcomes, 1)
			require.Len(t, outcomes[0].Outcomes, 1)
			return
		}
		require.True(t, known(err), "%v", err)
		if !says(body) {
			require.ErrorIs(t, err, model.ErrOutcomeUnknown)
		}
	})
}

func known(err error) bool { return errors.Is(err, model.ErrCorrupt) || model.Code(err) != "" }

// says reports whether an answer has the form of a problem document at all.
func says(body []byte) bool {
	return len(body) > 0 && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
}

// A node's secret goes to the address that its settings or members name, and nowhere else.
func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	c := NewClient(func() string { return "c1" }, "secret", nil)
	c.http.Transport = counting{answering{status: http.StatusTemporaryRedirect}, &asked}
	_, err := c.Status(t.Context(), "node2:7002")
	require.ErrorIs(t, err, model.ErrWrongNode)
	require.Equal(t, 1, asked)
}

type counting struct {
	answering
	asked *int
}

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	*c.asked++
	return c.answering.RoundTrip(r)
}

// An answer that no node has given, but something in between, does not say whether a write was done.
func TestStrangeAnswerToAWriteLeavesItOpen(t *testing.T) {
	for _, status := range []int{http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusInternalServerError} {
		c := NewClient(func() string { return "c1" }, "", nil)
		c.http.Transport = answering{status: status, body: []byte("<html>" + strconv.Itoa(status) + "</html>")}
		_, _, err := c.Commands(t.Context(), "node2:7002", []model.Unit{model.Single(model.Command{Type: model.CommandDelete, ID: "a"})})
		require.ErrorIs(t, err, model.ErrOutcomeUnknown)
	}
}
