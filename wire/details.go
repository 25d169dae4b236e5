package wire

import (
	"encoding/binary"
	"maps"
	"slices"

	"versiond/model"
)

// attributesMax bounds the attributes of a record, attributesBytesMax their bytes, from above: model.ValidateRecord
// has the bounds that users meet.
const (
	attributesMax      = 4 * model.AttributesMax
	attributesBytesMax = 8 * model.AttributesBytesMax
)

// appendDetails appends the byte form of details, 0 for none: which fields are set, and each of these; of those that are
// true or false the name says all.
func appendDetails(dst []byte, d *model.Details) []byte {
	set := d.DetailNames()
	dst = append(dst, byte(set))
	if set == 0 {
		return dst
	}
	for _, field := range model.DetailFields {
		if set&field.Set == 0 {
			continue
		}
		switch value := field.In(d).(type) {
		case *string:
			dst = appendText(dst, *value)
		case **uint8:
			dst = append(dst, **value)
		case *map[string]string:
			dst = appendAttributes(dst, *value)
		}
	}
	return dst
}

// appendAttributes appends them in the order of their names, so that equal ones have the same bytes.
func appendAttributes(dst []byte, attributes map[string]string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(attributes)))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		dst = appendText(appendText(dst, name), attributes[name])
	}
	return dst
}

// detailsBytes bounds from above what appendDetails adds.
func detailsBytes(d *model.Details) int {
	if d == nil {
		return 1
	}
	return 1 + 2*len(model.DetailFields) + 5*len(d.Attributes) + d.DetailBytes()
}

// detailNames reads which fields are named, at least so many.
func (r *reader) detailNames(least model.DetailSet) model.DetailSet {
	set := model.DetailSet(r.byte())
	if set&^model.DetailsAll != 0 || set < least {
		r.fail("unknown names %#x of details", byte(set))
	}
	return set
}

// details reads what appendDetails wrote.
func (r *reader) details() *model.Details {
	set := r.detailNames(0)
	if set == 0 {
		return nil
	}
	d := &model.Details{}
	for _, field := range model.DetailFields {
		if set&field.Set == 0 {
			continue
		}
		switch into := field.In(d).(type) {
		case *string:
			*into = r.text()
		case *bool:
			*into = true
		case **uint8:
			percent := r.byte()
			*into = &percent
		case *map[string]string:
			*into = r.attributes()
		}
	}
	if r.err == nil && d.DetailNames() != set {
		r.fail("details %#x that are set to nothing", byte(set))
	}
	return d
}

func (r *reader) attributes() map[string]string {
	n := r.countFromOne(attributesMax)
	attributes := make(map[string]string, n)
	for range n {
		name := r.text()
		attributes[name] = string(r.bytes(attributesBytesMax))
	}
	if r.err == nil && len(attributes) != n {
		r.fail("an attribute comes twice")
	}
	return attributes
}
