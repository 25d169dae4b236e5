package wire

import (
	"encoding/binary"
	"fmt"

	"versiond/model"
)

// ReadsMax is the most queries that one request of a follower may make, and the most rows that they may ask for together.
const ReadsMax = 1000

// What a query asks for, and what was found.
const (
	kindNothing = 0
	kindRecord  = 1
	kindPage    = 2
	// kindCandidates is answered by a page.
	kindCandidates = 3
	kindHistory    = 4
)

// AppendQueries appends the byte form of what a follower asks the leader for: version, count, and of each query its
// kind, and the id, or the platform, the prefix, the id that goes before and the limit of the page, or the platform, the
// prefix and the ids of candidates, or the id, the revision that goes before and the limit of a history.
func AppendQueries(dst []byte, queries []model.Query) []byte {
	dst = binary.AppendUvarint(append(dst, formVersion), uint64(len(queries)))
	for _, q := range queries {
		switch {
		case q.Page != nil:
			dst = appendText(appendText(append(dst, kindPage), q.Page.Platform), q.Page.Prefix)
			dst = appendText(dst, q.Page.After)
			dst = binary.AppendUvarint(dst, uint64(q.Page.Limit))
		case q.Candidates != nil:
			dst = appendCandidates(append(dst, kindCandidates), q.Candidates)
		case q.History != nil:
			dst = binary.AppendUvarint(appendText(append(dst, kindHistory), q.History.ID), q.History.Before)
			dst = binary.AppendUvarint(dst, uint64(q.History.Limit))
		default:
			dst = appendText(append(dst, kindRecord), q.ID)
		}
	}
	return dst
}

func appendCandidates(dst []byte, c *model.Candidates) []byte {
	dst = appendText(appendText(dst, c.Platform), c.Prefix)
	dst = binary.AppendUvarint(dst, uint64(len(c.IDs)))
	for _, id := range c.IDs {
		dst = appendText(dst, id)
	}
	return dst
}

// DecodeQueries reads what AppendQueries wrote. Every error matches model.ErrCorrupt.
func DecodeQueries(data []byte) ([]model.Query, error) {
	r := reader{rest: data}
	r.version("queries")
	queries, rows := make([]model.Query, r.count(ReadsMax)), 0
	for i := range queries {
		rows += r.query(&queries[i])
	}
	if rows > ReadsMax {
		r.fail("it asks for %d rows, more than the %d allowed", rows, ReadsMax)
	}
	return queries, r.end()
}

func (r *reader) query(q *model.Query) (rows int) {
	switch kind := r.byte(); kind {
	case kindRecord:
		q.ID = r.text()
		return 1
	case kindPage:
		q.Page = &model.ListOptions{Platform: r.text(), Prefix: r.text(), After: r.text(), Limit: r.countFromOne(ReadsMax)}
		return q.Page.Limit
	case kindCandidates:
		q.Candidates = &model.Candidates{Platform: r.text(), Prefix: r.text()}
		for range r.count(model.CandidatesMax) {
			q.Candidates.IDs = append(q.Candidates.IDs, r.text())
		}
		if len(q.Candidates.IDs) > 0 {
			return len(q.Candidates.IDs)
		}
		return model.CandidatesMax
	case kindHistory:
		q.History = &model.HistoryOptions{ID: r.text(), Before: r.uvarint(), Limit: r.countFromOne(ReadsMax)}
		return q.History.Limit
	default:
		r.fail("unknown kind %d of a query", kind)
		return 0
	}
}

// AppendFound appends the byte form of what queries found, in their order, and of the applied index that all of it
// reflects: version, index, count, and of each its kind, and the record, or the next page's id, the count and the records, or
// the revision before which the next page begins, whether it is complete, the count and the changes.
func AppendFound(dst []byte, index uint64, found []model.Found) []byte {
	dst = binary.AppendUvarint(append(dst, formVersion), index)
	dst = binary.AppendUvarint(dst, uint64(len(found)))
	for i := range found {
		switch f := &found[i]; {
		case f.Page != nil:
			dst = appendPage(append(dst, kindPage), f.Page)
		case f.History != nil:
			dst = appendHistory(append(dst, kindHistory), f.History)
		case f.Exists:
			dst = appendRow(append(dst, kindRecord), &f.Record)
		default:
			dst = append(dst, kindNothing)
		}
	}
	return dst
}

func appendPage(dst []byte, page *model.Page) []byte {
	dst = binary.AppendUvarint(appendText(dst, page.Next), uint64(len(page.Items)))
	for i := range page.Items {
		dst = appendRow(dst, &page.Items[i])
	}
	return dst
}

func appendHistory(dst []byte, h *model.History) []byte {
	dst = binary.AppendUvarint(dst, h.Next)
	dst = appendBool(dst, h.Complete)
	dst = binary.AppendUvarint(dst, uint64(len(h.Items)))
	for i := range h.Items {
		dst = AppendChange(dst, &h.Items[i])
	}
	return dst
}

// DecodeFound reads what AppendFound wrote. Every error matches model.ErrCorrupt.
func DecodeFound(data []byte) (index uint64, found []model.Found, err error) {
	r := reader{rest: data}
	r.version("rows")
	index = r.uvarint()
	found = make([]model.Found, r.count(ReadsMax))
	rows := uint64(ReadsMax) // that pages may still have
	for i := range found {
		switch kind := r.byte(); kind {
		case kindNothing:
		case kindRecord:
			found[i] = model.Found{Record: r.record(), Exists: true}
		case kindPage:
			found[i].Page = r.page(rows)
			rows -= uint64(len(found[i].Page.Items))
		case kindHistory:
			found[i].History = r.history(rows)
			rows -= uint64(len(found[i].History.Items))
		default:
			r.fail("unknown kind %d of what was found", kind)
		}
	}
	return index, found, r.end()
}

func (r *reader) page(rowsMax uint64) *model.Page {
	page := &model.Page{Next: r.text()}
	page.Items = make([]model.VersionDB, r.count(rowsMax))
	for i := range page.Items {
		page.Items[i] = r.record()
	}
	return page
}

func (r *reader) history(rowsMax uint64) *model.History {
	h := &model.History{Next: r.uvarint(), Complete: r.count(1) == 1}
	h.Items = make([]model.Change, r.count(rowsMax))
	for i := range h.Items {
		h.Items[i] = r.change()
	}
	return h
}

// appendRow appends whether a record has details, and the record.
func appendRow(dst []byte, record *model.VersionDB) []byte {
	return AppendRecord(appendBool(dst, record.Details != nil), (*model.Version)(record))
}

func appendBool(dst []byte, yes bool) []byte {
	if yes {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func (r *reader) record() model.VersionDB {
	detailed := r.count(1) == 1
	record := model.VersionDB{ID: r.text(), VersionNo: r.text(), Platform: r.text(), Revision: r.uvarint()}
	if !detailed {
		return record
	}
	details, err := unpackDetails(r.bytes(detailsBytesMax))
	if record.Details = details; err != nil && r.err == nil {
		r.err, r.rest = err, nil
	}
	return record
}

func (r *reader) version(what string) {
	if version := r.byte(); r.err == nil && version != formVersion {
		r.err = fmt.Errorf("%w: %s of format %d, this release reads %d", model.ErrCorrupt, what, version, formVersion)
		r.rest = nil
	}
}
