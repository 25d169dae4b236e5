package model

// Details are what a record may say beyond its three fields. Each is absent unless somebody has set it, and a record
// that has none has no Details. They are never changed once they are in a record: who changes one makes new ones. In the
// table what is absent is NULL, for which package dao has the serializer.
type Details struct {
	// Scheme says how versionNo compares, natural when it is empty.
	Scheme string `json:"scheme,omitempty" gorm:"size:16;serializer:nullable"`
	// MinVersionNo is the version below which a client must update.
	MinVersionNo string `json:"minVersionNo,omitempty" gorm:"size:64;serializer:nullable"`
	// FromVersionNo is the version from which on a client may take this one.
	FromVersionNo string `json:"fromVersionNo,omitempty" gorm:"size:64;serializer:nullable"`
	// Mandatory says that clients below this version must update.
	Mandatory bool `json:"mandatory,omitempty" gorm:"type:integer;serializer:nullable"`
	// RolloutPercent says for how many of a hundred clients this version is; for all of them when it is nil.
	RolloutPercent *uint8 `json:"rolloutPercent,omitempty"`
	// Withdrawn says that this version is for nobody any more.
	Withdrawn bool `json:"withdrawn,omitempty" gorm:"type:integer;serializer:nullable"`
	// Attributes are for clients to read, such as url, notes and sha256.
	Attributes map[string]string `json:"attributes,omitempty" gorm:"type:text;serializer:json"`
}

// DetailSet names some of the fields of Details. The numbers are part of the log format.
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

// detailFields say, of each field, whether it is set and how it is taken from another.
var detailFields = []struct {
	name  DetailSet
	isSet func(d *Details) bool
	take  func(d, from *Details)
}{
	{DetailScheme, func(d *Details) bool { return d.Scheme != "" }, func(d, from *Details) { d.Scheme = from.Scheme }},
	{DetailMinVersionNo, func(d *Details) bool { return d.MinVersionNo != "" }, func(d, from *Details) { d.MinVersionNo = from.MinVersionNo }},
	{DetailFromVersionNo, func(d *Details) bool { return d.FromVersionNo != "" }, func(d, from *Details) { d.FromVersionNo = from.FromVersionNo }},
	{DetailMandatory, func(d *Details) bool { return d.Mandatory }, func(d, from *Details) { d.Mandatory = from.Mandatory }},
	{DetailRolloutPercent, func(d *Details) bool { return d.RolloutPercent != nil }, func(d, from *Details) { d.RolloutPercent = from.RolloutPercent }},
	{DetailWithdrawn, func(d *Details) bool { return d.Withdrawn }, func(d, from *Details) { d.Withdrawn = from.Withdrawn }},
	{DetailAttributes, func(d *Details) bool { return len(d.Attributes) > 0 }, func(d, from *Details) { d.Attributes = from.Attributes }},
}

// DetailNames returns which fields are set.
func (d *Details) DetailNames() (set DetailSet) {
	if d == nil {
		return 0
	}
	for _, field := range detailFields {
		if field.isSet(d) {
			set |= field.name
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
	for _, field := range detailFields {
		if names&field.name != 0 {
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
	bytes := len(d.Scheme) + len(d.MinVersionNo) + len(d.FromVersionNo)
	for name, value := range d.Attributes {
		bytes += len(name) + len(value)
	}
	return bytes
}
