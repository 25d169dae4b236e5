package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"versiond/model"
)

const (
	// A batch may hold 512 KiB of ids and contents: this many records that are as large as they may be.
	batchItemsMax = 700
	// batchSpread is how many times as many records a large batch has as a small one.
	batchSpread = 7
	// largeText is the longest versionNo or platform, of characters with four bytes each.
	largeText = 64
)

// batcher is a client that writes many large records in each request, which fill the files of the Raft log. Each request
// has an idempotency key, and is sent until it is answered.
type batcher struct {
	*worker
	slot, sent int
}

func newBatcher(l *Load, number int, options LoadOptions) *batcher {
	if options.BatchMax == 0 {
		options.BatchMax = batchItemsMax
	}
	options.Records = max(options.Records, options.BatchMax)
	return &batcher{worker: newWorker(l, number, options)}
}

// batchItem is one write of a batch.
type batchItem struct {
	Op        string `json:"op"`
	ID        string `json:"id"`
	VersionNo string `json:"versionNo,omitempty"`
	Platform  string `json:"platform,omitempty"`

	record *owned
}

// batchAnswer is what came of them.
type batchAnswer struct {
	Results []struct {
		ID     string          `json:"id"`
		Status int             `json:"status"`
		Record model.VersionDB `json:"record"`
	} `json:"results"`
}

// run writes batches until the context ends.
func (b *batcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		b.write(ctx, b.items())
		b.rest(ctx, b.options.BatchPause)
	}
}

// items returns writes of as many records, the next in turn.
func (b *batcher) items() []batchItem {
	least := b.options.BatchMax / batchSpread
	items := make([]batchItem, least+b.random.IntN(b.options.BatchMax-least))
	for i := range items {
		b.slot++
		r := b.record(b.slot)
		items[i] = batchItem{Op: "create", ID: r.id, record: r}
		if r.now != nil {
			items[i].Op = []string{"update", "update", "update", "delete"}[b.random.IntN(4)]
		}
		if items[i].Op != "delete" {
			content := b.content(r.id)
			items[i].VersionNo, items[i].Platform = large(content.VersionNo), large(content.Platform)
		}
	}
	return items
}

func large(text string) string { return text + strings.Repeat("\U0001F4BE", largeText-len(text)) }

// write sends a batch, again and again to the next node until one tells what became of it, and files how it ended.
func (b *batcher) write(ctx context.Context, items []batchItem) {
	b.sent++
	key := fmt.Sprintf("%s-%d", b.name, b.sent)
	for ctx.Err() == nil && !b.once(ctx, key, items) {
		b.rest(ctx, refusedPause)
	}
}

// once sends a batch once, and reports whether that told what became of it. A pause of the load waits until it is filed.
func (b *batcher) once(ctx context.Context, key string, items []batchItem) (told bool) {
	b.load.gate.RLock()
	defer b.load.gate.RUnlock()
	answer, index, err := b.send(ctx, key, items)
	switch {
	case err == nil:
		b.acceptAll(items, answer, index)
	case Unknown(err):
		b.noteUnknown(items)
		return false
	case passing(err):
		b.ledger.noteRefused()
		return false
	default:
		b.noteUnknown(items)
		b.ledger.violate(Wrong, "a batch of %d that nothing stands in the way of ended in: %v", len(items), err)
	}
	return true
}

func (b *batcher) send(ctx context.Context, key string, items []batchItem) (answer batchAnswer, index uint64, err error) {
	content, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		return answer, 0, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	node := b.home()
	index, err = node.doContent(ctx, request{method: http.MethodPost, path: "/version/batch", header: withJSON(map[string]string{"Idempotency-Key": key})}, content, &answer)
	if err != nil {
		b.at++
		b.ledger.noteFailure(node, err)
	}
	return answer, index, err
}

// acceptAll files what became of each record. None of them is anybody else's, so each write must have been done.
func (b *batcher) acceptAll(items []batchItem, answer batchAnswer, index uint64) {
	b.ledger.noteAcknowledged()
	if len(answer.Results) != len(items) {
		b.noteUnknown(items)
		b.ledger.violate(Wrong, "%d results of %d items", len(answer.Results), len(items))
		return
	}
	for i, item := range items {
		result := answer.Results[i]
		if result.ID != item.ID || result.Status >= http.StatusMultipleChoices {
			b.noteUnknown(items[i : i+1])
			b.ledger.violate(Wrong, "%q: item %d, %s, ended in %+v", item.ID, i, item.Op, result)
			continue
		}
		b.accept(item.record, item.want(), model.Result{Record: result.Record, Index: index})
	}
}

// noteUnknown files that writes may have been done or not.
func (b *batcher) noteUnknown(items []batchItem) {
	for _, item := range items {
		b.ledger.noteUnknown(item.ID, item.want())
	}
}

// want returns the record that the write makes, nil for a delete.
func (i batchItem) want() *model.VersionDB {
	if i.Op == "delete" {
		return nil
	}
	return &model.VersionDB{ID: i.ID, VersionNo: i.VersionNo, Platform: i.Platform}
}
