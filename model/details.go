package model

import "reflect"

// Details are what a record may say beyond its three fields. Each is absent unless somebody has set it, and a record
// that has none has no Details. They are never changed once they are in a record: who changes one makes new ones. In the
// table what is absent is NULL, for which package dao has the serializer.
type Details struct {
	// Scheme is how versionNo compares, natural when it is empty.
	Scheme string `json:"scheme,omitempty" gorm:"size:16;serializer:nullable"`
	// MinVersionNo is the version below which a client must update.
	MinVersionNo string `json:"minVersionNo,omitempty" gorm:"size:64;serializer:nullable"`
	// FromVersionNo is the version from which on a client may take this one.
	FromVersionNo string `json:"fromVersionNo,omitempty" gorm:"size:64;serializer:nullable"`
	// Mandatory means that clients below this version must update.
	Mandatory bool `json:"mandatory,omitempty" gorm:"type:integer;serializer:nullable"`
	// RolloutPercent is for how many of a hundred clients this version is; nil means all of them.
	RolloutPercent *uint8 `json:"rolloutPercent,omitempty"`
	// Withdrawn means that this version is for nobody any more.
	Withdrawn bool `json:"withdrawn,omitempty" gorm:"type:integer;serializer:nullable"`
	// Attributes are for clients to read, such as url, notes and sha256.
	Attributes map[string]string `json:"attributes,omitempty" gorm:"type:text;serializer:json"`
}

// DetailSet names some of the fields of Details. The numbers are part of the log format, in which a node stops at one that it
// does not know. There is room for one more; a release with yet another one needs a wider set, as a form of its own in wire.
type DetailSet uint8

// The fields of Details.
const (
	DetailScheme DetailSet = 1 << iota
	DetailMinVersionNo
	DetailFromVersionNo
	DetailMandatory
	DetailRolloutPercent
	DetailWithdrawn
	DetailAttributes

	// DetailsAll has all of them.
	DetailsAll DetailSet = 1<<iota - 1
)

// DetailField is one field of Details.
type DetailField struct {
	Set DetailSet
	// Name is that of the field in JSON.
	Name string
	// In returns where the field is: a *string, *bool, **uint8 or *map[string]string.
	In func(d *Details) any
}

// DetailFields are all fields of Details, in the order in which people read of them and bytes have them.
var DetailFields = []DetailField{
	{DetailScheme, "scheme", func(d *Details) any { return &d.Scheme }},
	{DetailMinVersionNo, "minVersionNo", func(d *Details) any { return &d.MinVersionNo }},
	{DetailFromVersionNo, "fromVersionNo", func(d *Details) any { return &d.FromVersionNo }},
	{DetailMandatory, "mandatory", func(d *Details) any { return &d.Mandatory }},
	{DetailRolloutPercent, "rolloutPercent", func(d *Details) any { return &d.RolloutPercent }},
	{DetailWithdrawn, "withdrawn", func(d *Details) any { return &d.Withdrawn }},
	{DetailAttributes, "attributes", func(d *Details) any { return &d.Attributes }},
}

func (f DetailField) isSet(d *Details) bool {
	switch value := f.In(d).(type) {
	case *string:
		return *value != ""
	case *bool:
		return *value
	case **uint8:
		return *value != nil
	case *map[string]string:
		return len(*value) > 0
	}
	return false
}

// take makes the field of d what it is in from.
func (f DetailField) take(d, from *Details) {
	reflect.ValueOf(f.In(d)).Elem().Set(reflect.ValueOf(f.In(from)).Elem())
}

// DetailNames returns which fields are set.
func (d *Details) DetailNames() (set DetailSet) {
	if d == nil {
		return 0
	}
	for _, field := range DetailFields {
		if field.isSet(d) {
			set |= field.Set
		}
	}
	return set
}

// Merge returns what becomes of d where a write names some fields: these are as in named, the others stay. It is nil
// when none is set then. Neither of the two changes.
func (d *Details) Merge(named *Details, names DetailSet) *Details {
	var merged Details
	if d != nil {
		merged = *d
	}
	if named == nil {
		named = new(Details)
	}
	for _, field := range DetailFields {
		if names&field.Set != 0 {
			field.take(&merged, named)
		}
	}
	return merged.OrNil()
}

// OrNil returns d, or nil when nothing is set.
func (d *Details) OrNil() *Details {
	if d.DetailNames() == 0 {
		return nil
	}
	return d
}

// DetailBytes returns how long all texts are together.
func (d *Details) DetailBytes() int {
	if d == nil {
		return 0
	}
	bytes := 0
	for _, field := range DetailFields {
		if text, is := field.In(d).(*string); is {
			bytes += len(*text)
		}
	}
	for name, value := range d.Attributes {
		bytes += len(name) + len(value)
	}
	return bytes
}
