package controller

import (
	"context"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// History is one page of the changes of a record, the newest first.
type History struct {
	Items []HistoryItem `json:"items"`
	// NextCursor is the cursor of the next page; it is left out on the last one.
	NextCursor string `json:"nextCursor,omitempty"`
	// Complete reports whether the changes go back to the one that created the record.
	Complete bool `json:"complete"`
}

// HistoryItem is one change of a record: what was made of it, and by whom.
type HistoryItem struct {
	Revision    uint64         `json:"revision"`
	Op          model.ChangeOp `json:"op"`
	VersionNo   string         `json:"versionNo,omitempty"`
	Platform    string         `json:"platform"`
	WasPlatform string         `json:"wasPlatform,omitempty"`
	*model.Details
	At string `json:"at,omitempty"`
	By string `json:"by,omitempty"`
}

// momentForm is RFC 3339 in UTC, with milliseconds.
const momentForm = "2006-01-02T15:04:05.000Z"

// GetHistory answers one page of what became of a record.
func (v *VersionController) GetHistory(c *gin.Context) {
	in := readInput(c, "limit", "cursor", "level", "min_index", "timeout")
	which, opts, known := in.historyOptions(), in.readOptions(), in.ifNoneMatch()
	in.do(func(ctx context.Context) {
		history, index, err := v.service.History(ctx, which, opts)
		setIndex(c, index)
		if err != nil {
			fail(c, err)
			return
		}
		answerTagged(c, historyOf(history), known)
	})
}

func historyOf(h model.History) History {
	answer := History{Items: make([]HistoryItem, len(h.Items)), Complete: h.Complete}
	if h.Next != 0 {
		answer.NextCursor = model.EncodeCursor(strconv.FormatUint(h.Next, 10))
	}
	for i := range h.Items {
		c := &h.Items[i]
		item := HistoryItem{Revision: c.Revision, Op: c.Op, VersionNo: c.VersionNo, Platform: c.Platform, WasPlatform: c.WasPlatform, Details: c.Details, By: c.By}
		if c.At != 0 {
			item.At = time.UnixMilli(c.At).UTC().Format(momentForm)
		}
		answer.Items[i] = item
	}
	return answer
}

// historyOptions returns which page of which history is wanted.
func (in *input) historyOptions() model.HistoryOptions {
	return model.HistoryOptions{ID: in.id(), Before: in.revisionCursor(), Limit: in.limit()}
}
