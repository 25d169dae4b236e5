package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"versiond/test/load/synthetic"
)

const (
	// importItems is the most that a batch may have, and importClients how many are sent at once.
	importItems   = 1000
	importClients = 4
	importTimeout = time.Minute
)

// importRecords creates the records by batches, as an import does, and waits until every node has them all. Nothing is
// compacted meanwhile, so that the log gets many files.
func (e *experiment) importRecords(ctx context.Context) error {
	began := time.Now()
	clients, batchCtx := errgroup.WithContext(ctx)
	clients.SetLimit(importClients)
	for first := 0; first < e.records; first += importItems {
		clients.Go(func() error { return e.importBatch(batchCtx, first, min(first+importItems, e.records)) })
	}
	if err := clients.Wait(); err != nil {
		return err
	}
	for _, n := range e.full.Nodes {
		if err := e.awaitLast(ctx, n); err != nil {
			return err
		}
	}
	e.note("importing all records by batches of 1,000, s", time.Since(began).Seconds(), 0)
	return nil
}

func (e *experiment) importBatch(ctx context.Context, first, end int) error {
	ctx, cancel := context.WithTimeout(ctx, importTimeout)
	defer cancel()
	var batch struct {
		Items []map[string]string `json:"items"`
	}
	after := ""
	if first > 0 {
		after = synthetic.ID(first - 1)
	}
	page, err := synthetic.View{Count: e.records}.Page(ctx, after, end-first)
	if err != nil {
		return err
	}
	for _, v := range page {
		batch.Items = append(batch.Items, map[string]string{"op": "create", "id": v.ID, "versionNo": v.VersionNo, "platform": v.Platform})
	}
	content, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	address := e.full.Nodes[first/importItems%len(e.full.Nodes)].Address
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/version/batch?timeout=60s", bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return wholly(req)
}

// wholly sends a batch of which every item has to be done.
func wholly(req *http.Request) error {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var answer struct{ Refused int }
	if err := json.Unmarshal(body, &answer); err != nil || res.StatusCode != http.StatusOK || answer.Refused > 0 {
		return fmt.Errorf("%s: %s: %d refused: %.300s", req.URL, res.Status, answer.Refused, body)
	}
	return nil
}

// killAll kills every node at once and starts them on what they wrote.
func (e *experiment) killAll(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(e.full.Dir, "node1", "log", "*.wal"))
	if err != nil {
		return err
	}
	e.note("files of the log after the import", float64(len(files)), 0)
	for _, n := range e.full.Nodes {
		if err := n.Kill(); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := e.full.Restart(); err != nil {
		return err
	}
	e.note("start of all nodes after kill -9 of all, until they are ready, s", time.Since(began).Seconds(), 20)
	_, _, err = e.walk(ctx)
	return err
}
