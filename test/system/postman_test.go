package system_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// postmanItem is a request of a Postman collection, or a folder of them.
type postmanItem struct {
	Name    string
	Item    []postmanItem
	Request *struct {
		Method string
		URL    struct {
			Path            []string
			Query, Variable []postmanPair
		}
		Header []postmanPair
		Body   struct{ Raw string }
	}
}

type postmanPair struct {
	Key, Value string
	Disabled   bool
}

// Somebody who imports the collection sends one request after the other, as they stand, to a fresh "go run .". If
// this fails, what people try first does not work.
func TestPostmanCollectionRunsInOrderOnAFreshCluster(t *testing.T) {
	t.Parallel()
	q := newQuickStart(t)
	p := q.run("postman.log")
	q.waitReady(10 * time.Second)
	content, err := os.ReadFile("../../api/versiond.postman_collection.json")
	require.NoError(t, err)
	var collection postmanItem
	require.NoError(t, json.Unmarshal([]byte(q.onOurPorts(string(content))), &collection))
	require.Greater(t, q.sendAll(t, collection), 20)
	p.Stop()
}

// sendAll sends what is in an item, and returns how many requests that were.
func (q *quickStart) sendAll(t *testing.T, item postmanItem) (sent int) {
	t.Helper()
	if item.Request != nil {
		q.send(t, item)
		sent++
	}
	for _, each := range item.Item {
		sent += q.sendAll(t, each)
	}
	return sent
}

func (q *quickStart) send(t *testing.T, item postmanItem) {
	t.Helper()
	r := item.Request
	path := strings.Join(r.URL.Path, "/")
	for _, v := range r.URL.Variable {
		path = strings.ReplaceAll(path, ":"+v.Key, v.Value)
	}
	request, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+address(q.nodes[0].public)+"/"+path, strings.NewReader(r.Body.Raw))
	require.NoError(t, err)
	query := request.URL.Query()
	for _, each := range r.URL.Query {
		if !each.Disabled {
			query.Set(each.Key, each.Value)
		}
	}
	request.URL.RawQuery = query.Encode()
	for _, each := range r.Header {
		if !each.Disabled {
			request.Header.Set(each.Key, each.Value)
		}
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err, item.Name)
	require.NoError(t, response.Body.Close())
	assert.Less(t, response.StatusCode, http.StatusBadRequest, item.Name)
	q.waitReady(10 * time.Second) // a reader is not as quick: a member that was let in again catches up first
}
