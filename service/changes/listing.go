package changes

import (
	"context"
	"slices"
	"strings"

	"versiond/model"
)

// listPage is how many records are read at once.
const listPage = 256

// listing reads the records that there are, page by page while they change, and knows which changes are in what it has
// returned.
type listing struct {
	node   Node
	filter Filter
	after  string
	whole  bool
	ids    int // those of the filter that were read
	read   []span
}

// span is the ids behind those of the span before it, up to last, as of an index.
type span struct {
	last  string
	index uint64
}

func (l *listing) unread() bool { return l != nil && !l.whole }

// next reads some more records.
func (l *listing) next(ctx context.Context) (events []Event, err error) {
	list := model.ListOptions{Prefix: l.filter.Prefix, Platform: l.filter.Platform, After: l.after, Limit: listPage}
	if len(l.filter.IDs) > 0 { // of the ids that begin with it, an id is the first
		list.Prefix, list.Limit = l.filter.IDs[l.ids], 1
	}
	page, index, err := l.node.Page(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, record := range page.Items {
		if len(l.filter.IDs) == 0 || record.ID == list.Prefix {
			events = append(events, Event{JSON: put(record)})
		}
	}
	l.advance(page.Next, index)
	return events, nil
}

func (l *listing) advance(next string, index uint64) {
	if len(l.filter.IDs) > 0 {
		next = l.filter.IDs[l.ids]
		l.ids++
		l.whole = l.ids == len(l.filter.IDs)
	} else {
		l.after, l.whole = next, next == ""
	}
	if last := len(l.read) - 1; last >= 0 && l.read[last].index == index {
		l.read[last].last = next
		return
	}
	l.read = append(l.read, span{next, index})
}

// reflects reports whether the records were told as they were after a change, or later.
func (l *listing) reflects(c *model.Change) bool {
	if l == nil {
		return false
	}
	at, _ := slices.BinarySearchFunc(l.read, c.ID, func(s span, id string) int {
		if s.last == "" { // the rest of all ids
			return 1
		}
		return strings.Compare(s.last, id)
	})
	return at < len(l.read) && model.IndexOf(c.Revision) <= l.read[at].index
}
