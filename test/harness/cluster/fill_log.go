package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	// A batch of so many items, each with the longest texts that there are, is about as large as one may be.
	fillItems      = 700
	fillTimeout    = time.Minute
	fillRetryPause = 100 * time.Millisecond
)

// FillLog has the cluster write more to its logs than their newest files have room for, which is
// allocated in advance with fileBytes: a node whose disk is full notices it then. What it writes changes nothing. It
// asks any node, again and again where one cannot.
func (c *Cluster) FillLog(t testing.TB, fileBytes int) {
	t.Helper()
	body := fillBatch()
	left := fileBytes + fileBytes/4 + len(body) // of JSON, which has up to a tenth more bytes than an entry of the log
	ctx, cancel := context.WithTimeout(t.Context(), fillTimeout*Slowness)
	defer cancel()
	for turn := 0; left > 0; turn++ {
		n := c.Nodes[turn%len(c.Nodes)]
		status, answer, err := n.Client.Send(ctx, false, http.MethodPost, "/version/batch", map[string]string{"Content-Type": "application/json"}, body)
		switch {
		case ctx.Err() != nil:
			t.Fatalf("the logs are to take %d bytes more: %d %s %v", left, status, answer, err)
		case err == nil && status == http.StatusOK:
			left -= len(body)
		default:
			select { // nobody leads for the moment
			case <-time.After(fillRetryPause):
			case <-ctx.Done():
			}
		}
	}
}

// fillBatch returns updates of records that do not exist.
func fillBatch() string {
	type item struct {
		Op        string `json:"op"`
		ID        string `json:"id"`
		VersionNo string `json:"versionNo"`
		Platform  string `json:"platform"`
	}
	long := strings.Repeat("\U0001F4BE", 64) // four bytes each
	items := make([]item, fillItems)
	for i := range items {
		items[i] = item{Op: "update", ID: fmt.Sprintf("never-there-%0116d", i), VersionNo: long, Platform: long}
	}
	body, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		panic(err) // texts always can be marshalled
	}
	return string(body)
}
