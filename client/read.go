package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// pageSize is how many records of a list are asked for at once.
const pageSize = 500

// ReadOption sets how fresh a read has to be.
type ReadOption func(*readOptions)

type readOptions struct {
	level    Level
	minIndex uint64
}

// At is the level of a read.
func At(level Level) ReadOption { return func(o *readOptions) { o.level = level } }

// MinIndex makes a read wait until the node has applied a log index.
func MinIndex(index uint64) ReadOption { return func(o *readOptions) { o.minIndex = index } }

func (c *Client) readQuery(opts []ReadOption) url.Values {
	o := readOptions{level: c.level}
	for _, set := range opts {
		set(&o)
	}
	query := url.Values{}
	if o.level != "" {
		query.Set("level", string(o.level))
	}
	if index := max(o.minIndex, c.Index()); index > 0 {
		query.Set("min_index", strconv.FormatUint(index, 10))
	}
	return query
}

// Filter selects which records are listed: all when it is empty.
type Filter struct {
	// Prefix is how their ids begin.
	Prefix string
	// Platform is theirs, exactly.
	Platform string
}

// Page is one page of a list.
type Page struct {
	Records []Record `json:"items"`
	// Next is the cursor of the next page, "" on the last one.
	Next string `json:"nextCursor"`
}

// Page reads at most limit records, in the byte order of their ids, from a cursor on: "" is the beginning. A page is of one
// moment.
func (c *Client) Page(ctx context.Context, which Filter, cursor string, limit int, opts ...ReadOption) (Page, error) {
	query := c.readQuery(opts)
	query.Set("limit", strconv.Itoa(limit))
	setIfAny(query, "prefix", which.Prefix)
	setIfAny(query, "platform", which.Platform)
	setIfAny(query, "cursor", cursor)
	return ask[Page](ctx, c, &request{method: http.MethodGet, path: "/version", query: query})
}

// List reads records in the byte order of their ids, page by page as they are asked for. An error is the last thing that
// it yields.
func (c *Client) List(ctx context.Context, which Filter, opts ...ReadOption) iter.Seq2[Record, error] {
	return pages(func(cursor string) ([]Record, string, error) {
		page, err := c.Page(ctx, which, cursor, pageSize, opts...)
		return page.Records, page.Next, err
	})
}

// pages goes through what comes page by page, each from the cursor of the one before.
func pages[T any](read func(cursor string) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor, more := "", true; more; more = cursor != "" {
			items, next, err := read(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			cursor = next
		}
	}
}

func setIfAny(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}
