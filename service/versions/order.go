// Package versions knows which of two version numbers comes first. The order serves reads alone: nothing that is
// applied may depend on it, or an update of a library could make nodes differ.
package versions

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"versiond/model"
)

// Compare returns -1 when a comes before b by a scheme, 1 when it comes after b, and 0 when neither does. The scheme ""
// is natural. What cannot be compared is a *model.ValidationError for the fields "scheme", "a" and "b".
func Compare(scheme, a, b string) (int, error) {
	s, err := find(scheme)
	if err != nil {
		return 0, err
	}
	if s.name == Published {
		return 0, model.Invalid(schemeField, "of published the record that was written last is the newest, which two version numbers do not tell; "+
			"name another scheme, such as natural")
	}
	if fields := slices.Concat(s.refuse("a", a), s.refuse("b", b)); len(fields) > 0 {
		return 0, &model.ValidationError{Fields: fields}
	}
	return s.compare(a, b)
}

// CheckRecord returns nil when the record's scheme can order its version numbers, and otherwise a *model.ValidationError
// with an entry for each that it cannot, or for the field "scheme".
func CheckRecord(record model.VersionDB) error {
	d := record.Details
	if d == nil {
		return nil
	}
	s, err := find(d.Scheme)
	if err != nil {
		return err
	}
	fields := s.refuse("versionNo", record.VersionNo)
	fields = append(fields, s.refuseBound("minVersionNo", d.MinVersionNo)...)
	fields = append(fields, s.refuseBound("fromVersionNo", d.FromVersionNo)...)
	if len(fields) > 0 {
		return &model.ValidationError{Fields: fields}
	}
	return nil
}

// refuseBound is refuse for a version number that clients' are held against, if there is one.
func (s scheme) refuseBound(field, versionNo string) []model.FieldError {
	switch {
	case versionNo == "":
		return nil
	case s.name == Published:
		return []model.FieldError{{Field: field, Detail: "does not go with the scheme published, whose version numbers have no order"}}
	}
	return s.refuse(field, versionNo)
}

// Names returns the names of all schemes.
func Names() []string {
	names := make([]string, len(schemes))
	for i, s := range schemes {
		names[i] = s.name
	}
	return names
}

const schemeField = "scheme"

func find(name string) (scheme, error) {
	if name == "" {
		name = Natural
	}
	i := slices.IndexFunc(schemes, func(s scheme) bool { return s.name == name })
	if i < 0 {
		return scheme{}, model.Invalid(schemeField, "must be one of "+strings.Join(Names(), ", "))
	}
	return schemes[i], nil
}

// refuse returns what is wrong with a version number, nothing when the scheme can order it.
func (s scheme) refuse(field, versionNo string) []model.FieldError {
	if s.grammar == nil || s.grammar.MatchString(versionNo) && isASCII(versionNo) {
		return nil
	}
	return []model.FieldError{{Field: field, Detail: fmt.Sprintf("is no version of the scheme %s, %s, such as %s", s.name, s.form, s.example)}}
}

// isASCII is for a grammar that takes letters in either case: to regexp, U+017F is an s.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}
