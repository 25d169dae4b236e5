package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

// Record is a version record. What is not set is absent.
type Record struct {
	ID        string `json:"id"`
	VersionNo string `json:"versionNo"`
	Platform  string `json:"platform"`
	// Scheme is how VersionNo compares, natural when it is empty.
	Scheme string `json:"scheme,omitempty"`
	// MinVersionNo is the version below which a client must update.
	MinVersionNo string `json:"minVersionNo,omitempty"`
	// FromVersionNo is the version from which on a client may take this one.
	FromVersionNo string `json:"fromVersionNo,omitempty"`
	// Mandatory means that clients below this version must update.
	Mandatory bool `json:"mandatory,omitempty"`
	// RolloutPercent is for how many of a hundred clients this version is; nil means all of them.
	RolloutPercent *int `json:"rolloutPercent,omitempty"`
	// Withdrawn means that this version is for nobody any more.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Attributes are for clients to read, such as url, notes and sha256.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Revision is given by the cluster; it is unique there and only grows. In an update it is the one that the record
	// must still have, unless it is 0.
	Revision uint64 `json:"revision,omitempty"`
}

// Field names what a record may say beyond its three fields.
type Field string

// The fields that Clear takes.
const (
	FieldScheme         Field = "scheme"
	FieldMinVersionNo   Field = "minVersionNo"
	FieldFromVersionNo  Field = "fromVersionNo"
	FieldMandatory      Field = "mandatory"
	FieldRolloutPercent Field = "rolloutPercent"
	FieldWithdrawn      Field = "withdrawn"
	FieldAttributes     Field = "attributes"
)

// Fields returns all of them.
func Fields() []Field {
	return []Field{FieldScheme, FieldMinVersionNo, FieldFromVersionNo, FieldMandatory, FieldRolloutPercent, FieldWithdrawn, FieldAttributes}
}

// unset returns the fields that a record does not say.
func (r *Record) unset() (fields []Field) {
	absent := []bool{r.Scheme == "", r.MinVersionNo == "", r.FromVersionNo == "", !r.Mandatory, r.RolloutPercent == nil, !r.Withdrawn, len(r.Attributes) == 0}
	for i, field := range Fields() {
		if absent[i] {
			fields = append(fields, field)
		}
	}
	return fields
}

// WriteOption sets how a write is to be done.
type WriteOption func(*writeOptions)

type writeOptions struct {
	revision uint64
	clear    []Field
	newer    bool
	atomic   bool
	key      string
}

func writeOptionsOf(opts []WriteOption) (o writeOptions) {
	for _, set := range opts {
		set(&o)
	}
	return o
}

// IfRevision makes an update or a delete depend on the revision that the record has, and fail with ErrRevisionMismatch
// when it has another one.
func IfRevision(revision uint64) WriteOption { return func(o *writeOptions) { o.revision = revision } }

// Clear takes fields out of the record that an Update leaves as they are otherwise.
func Clear(fields ...Field) WriteOption {
	return func(o *writeOptions) { o.clear = append(o.clear, fields...) }
}

// Newer makes an update depend on its VersionNo to come after the record's, and fail with ErrNotNewer when it does not.
// Such an update has no key: when its answer is lost the error is ErrOutcomeUnknown, and it may be called again.
func Newer() WriteOption { return func(o *writeOptions) { o.newer = true } }

// Key is the idempotency key of a write, 1 to 128 visible ASCII characters, instead of one that the Client makes. A
// program that keeps it before it writes may write again after a crash, with the same content, and the write is done once.
func Key(key string) WriteOption { return func(o *writeOptions) { o.key = key } }

// Get reads a record.
func (c *Client) Get(ctx context.Context, id string, opts ...ReadOption) (Record, error) {
	return ask[Record](ctx, c, &request{method: http.MethodGet, path: recordPath(id), query: c.readQuery(opts)})
}

// Create makes a record, and returns it with its revision. The revision of r does not matter.
func (c *Client) Create(ctx context.Context, r Record, opts ...WriteOption) (Record, error) {
	r.Revision = 0
	return c.write(ctx, http.MethodPost, "/version", r, writeOptionsOf(opts))
}

// Update changes a record and returns it as it is then. VersionNo and Platform have to be given; what r does not say else
// stays as it is, unless Clear names it. With a revision in r, as in one that was read, the record must still have it.
func (c *Client) Update(ctx context.Context, r Record, opts ...WriteOption) (Record, error) {
	return c.write(ctx, http.MethodPut, recordPath(r.ID), r, writeOptionsOf(opts))
}

// Replace is Update of everything: what r does not say is gone from the record. It is for a record that was read and
// changed.
func (c *Client) Replace(ctx context.Context, r Record, opts ...WriteOption) (Record, error) {
	return c.Update(ctx, r, append(opts[:len(opts):len(opts)], Clear(r.unset()...))...)
}

// Delete deletes a record.
func (c *Client) Delete(ctx context.Context, id string, opts ...WriteOption) error {
	o := writeOptionsOf(opts)
	r := &request{method: http.MethodDelete, path: recordPath(id), manner: keyed, header: o.header()}
	if o.revision != 0 {
		r.header.Set("If-Match", strconv.Quote(strconv.FormatUint(o.revision, 10)))
	}
	_, err := c.do(ctx, r)
	return err
}

func (c *Client) write(ctx context.Context, method, path string, record Record, o writeOptions) (Record, error) {
	if o.revision != 0 {
		record.Revision = o.revision
	}
	body, err := bodyOf(record, o.clear)
	if err != nil {
		return Record{}, err
	}
	r := &request{method: method, path: path, body: body, manner: keyed, header: o.header()}
	if o.newer {
		r.manner, r.query = once, url.Values{"newer": {"true"}}
		r.header.Del(keyHeader)
	}
	return ask[Record](ctx, c, r)
}

const keyHeader = "Idempotency-Key"

// header has a key that nobody else has, unless one was given.
func (o writeOptions) header() http.Header {
	key := o.key
	if key == "" {
		key = rand.Text()
	}
	return http.Header{keyHeader: {key}}
}

// bodyOf writes a record as nodes take it: null clears a field.
func bodyOf(value any, cleared []Field) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil || len(cleared) == 0 {
		return body, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, err
	}
	for _, field := range cleared {
		fields[string(field)] = json.RawMessage("null")
	}
	return json.Marshal(fields)
}

func recordPath(id string) string { return "/version/" + escapeID(id) }

// escapeID is url.PathEscape, but for the words behind which there is something else than a record.
func escapeID(id string) string {
	switch id {
	case "check", "compare", "history", "latest", "watch":
		return "%" + strconv.FormatUint(uint64(id[0]), 16) + id[1:]
	}
	return url.PathEscape(id)
}
