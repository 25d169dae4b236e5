package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	pageSize    = 100
	walkSize    = 1000
	pagesTimed  = 51
	pageTimeout = time.Minute
)

// list times the first and the last page, which a node finds by walking over all of them.
func (e *experiment) list(ctx context.Context) error {
	last, took, err := e.walk(ctx)
	if err != nil {
		return err
	}
	e.note("listing all records, s", took.Seconds(), 0)
	first, end := make([]time.Duration, pagesTimed), make([]time.Duration, pagesTimed)
	for i := range pagesTimed { // in turn, so that noise hits both
		for cursor, took := range map[string]*time.Duration{"": &first[i], last: &end[i]} {
			began := time.Now()
			if _, _, err := e.page(ctx, cursor, pageSize); err != nil {
				return err
			}
			*took = time.Since(began)
		}
	}
	slices.Sort(first)
	slices.Sort(end)
	a, b := first[pagesTimed/2], end[pagesTimed/2]
	e.note("first page of 100, median, ms", a.Seconds()*1000, 0)
	e.note("last page of 100, median, ms", b.Seconds()*1000, 0)
	e.note("last to first", b.Seconds()/a.Seconds(), 1.5)
	return nil
}

// walk reads all pages and returns the cursor of the last one that is full, and how long it took. A list with fewer
// records than there are is an error.
func (e *experiment) walk(ctx context.Context) (string, time.Duration, error) {
	began, total := time.Now(), 0
	for cursor, before := "", ""; ; {
		items, next, err := e.page(ctx, cursor, walkSize)
		if err != nil {
			return "", 0, err
		}
		if total += items; next == "" {
			if total < e.records {
				return "", 0, fmt.Errorf("the list ends after %d records", total)
			}
			return before, time.Since(began), nil
		}
		before, cursor = cursor, next
	}
}

func (e *experiment) page(ctx context.Context, cursor string, limit int) (items int, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	query := url.Values{"limit": {fmt.Sprint(limit)}, "level": {"none"}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.full.Nodes[0].Address+"/version?"+query.Encode(), nil)
	if err != nil {
		return 0, "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, "", fmt.Errorf("%s: %s", req.URL, res.Status)
	}
	var page struct {
		Items      []json.RawMessage `json:"items"`
		NextCursor string            `json:"nextCursor"`
	}
	err = json.NewDecoder(res.Body).Decode(&page)
	return len(page.Items), page.NextCursor, err
}
