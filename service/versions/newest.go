package versions

import (
	"cmp"
	"fmt"
	"slices"

	"versiond/model"
)

// Ranked is records that one scheme orders, the newest first. Any goroutine may ask it.
type Ranked struct {
	scheme  scheme
	records []model.VersionDB
	// mandatory are the records that are mandatory and not withdrawn, and withdrawn reports whether there is one that is.
	mandatory []model.VersionDB
	withdrawn bool
	// wrong is why they have no order.
	wrong error
}

// Rank orders records. When they have different schemes, it returns records without an order, and a *model.ValidationError for
// the field "scheme" is the answer to all that they are asked.
func Rank(records []model.VersionDB) Ranked {
	r := Ranked{records: records}
	if r.scheme, r.wrong = schemeOfAll(records); r.wrong != nil {
		return r
	}
	newerFirst := func(a, b model.VersionDB) int { return -r.compare(a, b) }
	if !slices.IsSortedFunc(records, newerFirst) { // a leader's are
		r.records = slices.SortedFunc(slices.Values(records), newerFirst)
	}
	for _, record := range r.records {
		switch d := detailsOf(record); {
		case d.Withdrawn:
			r.withdrawn = true
		case d.Mandatory:
			r.mandatory = append(r.mandatory, record)
		}
	}
	return r
}

// Records returns the records, the newest first, which must not be changed.
func (r Ranked) Records() []model.VersionDB { return r.records }

// schemeOfAll returns the scheme that all records have.
func schemeOfAll(records []model.VersionDB) (scheme, error) {
	name := ""
	if len(records) > 0 {
		name = schemeOf(records[0])
	}
	for i := range records {
		if other := schemeOf(records[i]); other != name {
			return scheme{}, model.Invalid(schemeField, fmt.Sprintf("is %s for %q and %s for %q, whose order nobody knows; ask for records of one scheme, by a longer prefix or a list of ids",
				name, records[0].ID, other, records[i].ID))
		}
	}
	return find(name)
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
func (r Ranked) compare(a, b model.VersionDB) int {
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

// ComesAfter reports whether a record's version comes after that of the record in whose place it would be, by its own scheme: a
// *model.ValidationError when that cannot order it, is another one and cannot order what there is, or is published, by which all
// that is written comes after.
func ComesAfter(record, before model.VersionDB) (bool, error) {
	if err := CheckRecord(record); err != nil {
		return false, err
	}
	s, err := find(schemeOf(record))
	switch {
	case err != nil:
		return false, err
	case s.name == Published:
		return false, model.Invalid("newer", "does not go with the scheme published, by which whatever is written last is the newest; use If-Match")
	case s.name != schemeOf(before) && len(s.refuse("", before.VersionNo)) > 0:
		return false, model.Invalid(schemeField, fmt.Sprintf("is %s, of which %q, the version that the record has, is none; change the scheme without newer first", s.name, before.VersionNo))
	}
	return s.order(record.VersionNo, before.VersionNo) > 0, nil
}

// Newest returns the record with the highest version that is not withdrawn; model.ErrNotFound when there is none, and a
// *model.ValidationError when the records have different schemes.
func (r Ranked) Newest() (model.VersionDB, error) {
	if r.wrong != nil {
		return model.VersionDB{}, r.wrong
	}
	for _, record := range r.records {
		if !detailsOf(record).Withdrawn {
			return record, nil
		}
	}
	return model.VersionDB{}, model.Explain(model.ErrNotFound, "there is no record among those that are asked for, or all are withdrawn")
}
