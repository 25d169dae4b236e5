package client

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"time"
)

// The values of Change.Op.
const (
	OpCreate = "create"
	OpUpdate = "update"
	OpDelete = "delete"
)

// Change is what one write made of a record.
type Change struct {
	// Op is OpCreate, OpUpdate or OpDelete.
	Op string `json:"op"`
	// Record is the record from then on; of a delete its id, platform and the revision of the delete.
	Record
	// WasPlatform is the platform before, where an update changed it.
	WasPlatform string `json:"wasPlatform,omitempty"`
	// At is when the node that took the request had it, by its clock; zero where it is not known.
	At time.Time `json:"at,omitzero"`
	// By is the name of the token that came with the request, "" for none.
	By string `json:"by,omitempty"`
}

// HistoryPage is one page of the changes of a record, the newest first.
type HistoryPage struct {
	Changes []Change `json:"items"`
	// Next is the cursor of the next page, "" on the last one.
	Next string `json:"nextCursor"`
	// Complete reports whether the last page ends with the change that created the record: nothing is missing.
	Complete bool `json:"complete"`
}

// HistoryPage reads at most limit changes of a record, also of one that is deleted, the newest first, from a cursor on: ""
// is the newest. ErrNotFound says that nothing is known of the id.
func (c *Client) HistoryPage(ctx context.Context, id, cursor string, limit int, opts ...ReadOption) (HistoryPage, error) {
	query := c.readQuery(opts)
	query.Set("limit", strconv.Itoa(limit))
	setIfAny(query, "cursor", cursor)
	page, err := ask[HistoryPage](ctx, c, &request{method: http.MethodGet, path: recordPath(id) + "/history", query: query})
	for i := range page.Changes {
		page.Changes[i].ID = id
	}
	return page, err
}

// History reads the changes of a record that are kept, the newest first. An error is the last thing that it yields.
func (c *Client) History(ctx context.Context, id string, opts ...ReadOption) iter.Seq2[Change, error] {
	return pages(func(cursor string) ([]Change, string, error) {
		page, err := c.HistoryPage(ctx, id, cursor, pageSize, opts...)
		return page.Changes, page.Next, err
	})
}
