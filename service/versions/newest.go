package versions

import (
	"cmp"
	"fmt"
	"slices"

	"versiond/model"
)

// ranking is records that one scheme orders, the newest first.
type ranking struct {
	scheme  scheme
	records []model.VersionDB
}

// rank orders records: a *model.ValidationError for the field "scheme" when they have different ones.
func rank(records []model.VersionDB) (r ranking, err error) {
	name := ""
	if len(records) > 0 {
		name = schemeOf(records[0])
	}
	for i := range records {
		if other := schemeOf(records[i]); other != name {
			return r, model.Invalid(schemeField, fmt.Sprintf("is %s for %q and %s for %q, whose order nobody knows; ask for records of one scheme, by a longer prefix or a list of ids",
				name, records[0].ID, other, records[i].ID))
		}
	}
	if r.scheme, err = find(name); err != nil {
		return r, err
	}
	newerFirst := func(a, b model.VersionDB) int { return -r.compare(a, b) }
	if r.records = records; !slices.IsSortedFunc(records, newerFirst) { // those that are kept are
		r.records = slices.SortedFunc(slices.Values(records), newerFirst)
	}
	return r, nil
}

// newestFirst sorts records, as far as they have one order.
func newestFirst(records []model.VersionDB) []model.VersionDB {
	r, err := rank(records)
	if err != nil {
		return records
	}
	return r.records
}

func schemeOf(record model.VersionDB) string {
	return cmp.Or(detailsOf(record).Scheme, Natural)
}

// detailsOf returns the details of a record, also of one that has none.
func detailsOf(record model.VersionDB) model.Details {
	if record.Details == nil {
		return model.Details{}
	}
	return *record.Details
}

// compare orders records by their version numbers, and those that have equal ones by their revisions.
func (r ranking) compare(a, b model.VersionDB) int {
	return cmp.Or(r.scheme.order(a.VersionNo, b.VersionNo), cmp.Compare(a.Revision, b.Revision))
}

// order is compare for any two version numbers: one that the scheme cannot order, as where the scheme was changed behind it,
// comes before all that it can. Those of published are all equal.
func (s scheme) order(a, b string) int {
	if s.compare == nil {
		return 0
	}
	readable := func(versionNo string) int {
		if len(s.refuse("", versionNo)) > 0 {
			return 0
		}
		return 1
	}
	if ra, rb := readable(a), readable(b); ra+rb < 2 {
		return cmp.Compare(ra, rb)
	}
	order, _ := s.compare(a, b) // what the grammar takes can be compared
	return order
}

// ComesAfter reports whether a record's version comes after that of the record in whose place it would be, by its own
// scheme: a *model.ValidationError when that cannot order its version number. By published it always does.
func ComesAfter(record, before model.VersionDB) (bool, error) {
	if err := CheckRecord(record); err != nil {
		return false, err
	}
	s, err := find(schemeOf(record))
	if err != nil {
		return false, err
	}
	return s.name == Published || s.order(record.VersionNo, before.VersionNo) > 0, nil
}

// Newest returns the record with the highest version that is not withdrawn; model.ErrNotFound when there is none, and a
// *model.ValidationError when the records have different schemes.
func Newest(records []model.VersionDB) (model.VersionDB, error) {
	r, err := rank(records)
	if err != nil {
		return model.VersionDB{}, err
	}
	for _, record := range r.records {
		if !detailsOf(record).Withdrawn {
			return record, nil
		}
	}
	return model.VersionDB{}, model.Explain(model.ErrNotFound, "there is no record among those that are asked for, or all are withdrawn")
}
