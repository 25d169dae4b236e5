package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// BatchMax is how many writes a batch may have. Their ids and contents may come to 512 KiB.
const BatchMax = 1000

// Write is one write of a batch.
type Write struct {
	op     string
	record Record
	clear  []Field
}

// ToCreate is a Create in a batch.
func ToCreate(r Record) Write {
	r.Revision = 0
	return Write{op: "create", record: r}
}

// ToUpdate is an Update in a batch. It takes IfRevision and Clear.
func ToUpdate(r Record, opts ...WriteOption) Write {
	o := writeOptionsOf(opts)
	if o.revision != 0 {
		r.Revision = o.revision
	}
	return Write{op: "update", record: r, clear: o.clear}
}

// ToReplace is a Replace in a batch. It takes IfRevision.
func ToReplace(r Record, opts ...WriteOption) Write {
	return ToUpdate(r, append(opts[:len(opts):len(opts)], Clear(r.unset()...))...)
}

// ToDelete is a Delete in a batch. It takes IfRevision.
func ToDelete(id string, opts ...WriteOption) Write {
	return Write{op: "delete", record: Record{ID: id, Revision: writeOptionsOf(opts).revision}}
}

// Creates reports whether w creates a record.
func (w Write) Creates() bool { return w.op == "create" }

// MarshalJSON writes an item as nodes take it.
func (w Write) MarshalJSON() ([]byte, error) {
	if w.op == "delete" {
		return json.Marshal(struct {
			Op       string `json:"op"`
			ID       string `json:"id"`
			Revision uint64 `json:"revision,omitempty"`
		}{w.op, w.record.ID, w.record.Revision})
	}
	return bodyOf(struct {
		Op string `json:"op"`
		Record
	}{w.op, w.record}, w.clear)
}

// Result is what became of one write of a batch.
type Result struct {
	ID string `json:"id"`
	// Status is that which a request of its own would have had.
	Status int `json:"status"`
	// Record is what a create or an update has written, nil otherwise.
	Record *Record `json:"record"`
	// Err is why it was refused, nil when it was done.
	Err *Error `json:"-"`

	Code     Code         `json:"code"`
	Detail   string       `json:"detail"`
	Errors   []FieldError `json:"errors"`
	Revision uint64       `json:"revision"`
}

func (r *Result) complete() {
	if r.Code != "" {
		r.Err = &Error{Code: r.Code, Status: r.Status, Detail: r.Detail, Fields: r.Errors, Revision: r.Revision}
	}
}

// Atomic makes a batch all or nothing: when one write is refused none is done, and the error is ErrBatchRefused with a
// result for each.
func Atomic() WriteOption { return func(o *writeOptions) { o.atomic = true } }

// Batch does up to BatchMax writes in their order, with no other write in between, and returns what became of each. Each is
// decided on its own, so look at their Err, unless Atomic is given. It takes Atomic and Key. Whether a batch was done is
// known, or not known, of the whole.
func (c *Client) Batch(ctx context.Context, writes []Write, opts ...WriteOption) ([]Result, error) {
	o := writeOptionsOf(opts)
	body, err := json.Marshal(struct {
		Atomic bool    `json:"atomic,omitempty"`
		Items  []Write `json:"items"`
	}{o.atomic, writes})
	if err != nil {
		return nil, err
	}
	r := &request{method: http.MethodPost, path: "/version/batch", body: body, manner: keyed, header: o.header()}
	done, err := ask[struct{ Results []Result }](ctx, c, r)
	if err != nil {
		return nil, err
	}
	for i := range done.Results {
		done.Results[i].complete()
	}
	return done.Results, nil
}
