package controller

import (
	"encoding/json"
	"strconv"

	"versiond/model"
	"versiond/service/versions"
)

// namedDetails are the details that a body names, which may be to clear them.
type namedDetails struct {
	details model.Details
	names   model.DetailSet
}

// detailReaders say, for the JSON fields of details, which they are and how a value that is not null is read.
var detailReaders = map[string]struct {
	name model.DetailSet
	read func(in *input, field string, value json.RawMessage, d *model.Details)
}{
	"scheme": {model.DetailScheme, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.Scheme = in.text(field, value)
	}},
	"minVersionNo": {model.DetailMinVersionNo, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.MinVersionNo = in.text(field, value)
	}},
	"fromVersionNo": {model.DetailFromVersionNo, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.FromVersionNo = in.text(field, value)
	}},
	"mandatory": {model.DetailMandatory, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.Mandatory = in.flag(field, value)
	}},
	"rolloutPercent": {model.DetailRolloutPercent, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.RolloutPercent = in.percent(field, value)
	}},
	"withdrawn": {model.DetailWithdrawn, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.Withdrawn = in.flag(field, value)
	}},
	"attributes": {model.DetailAttributes, func(in *input, field string, value json.RawMessage, d *model.Details) {
		d.Attributes = in.attributes(field, value)
	}},
}

// detailNames are the keys of detailReaders, in the order in which people read of them.
var detailNames = []string{"scheme", "minVersionNo", "fromVersionNo", "mandatory", "rolloutPercent", "withdrawn", "attributes"}

// detail reads a field that is one of details, and reports whether it is.
func (in *input) detail(field string, value json.RawMessage, into *namedDetails) bool {
	reader, is := detailReaders[field]
	if !is || into == nil {
		return false
	}
	into.names |= reader.name
	if value[0] != 'n' { // null clears it
		reader.read(in, field, value, &into.details)
	}
	return true
}

// text reads a string that says something.
func (in *input) text(field string, value json.RawMessage) (text string) {
	if in.readText(field, value, &text) && text == "" {
		in.wrong(field, "must not be empty; leave it out, or clear it with null")
	}
	return text
}

func (in *input) percent(field string, value json.RawMessage) *uint8 {
	percent, err := strconv.ParseUint(string(value), 10, 8)
	if err != nil || percent > 100 {
		in.wrong(field, "must be a whole number from 0 to 100, such as 25")
	}
	short := uint8(percent)
	return &short
}

func (in *input) attributes(field string, value json.RawMessage) map[string]string {
	if value[0] != '{' {
		in.wrong(field, `must be an object of strings such as {"url":"https://example.org/app"}, not `+kindOf(value))
		return nil
	}
	before := in.within
	in.within += field + "."
	defer func() { in.within = before }()
	attributes := map[string]string{}
	in.eachField(value, func(name string, value json.RawMessage) {
		var text string
		if in.readText(name, value, &text) {
			attributes[name] = text
		}
	})
	if len(attributes) == 0 {
		return nil
	}
	return attributes
}

// checkRecord reports what is wrong with a record, also with its version numbers by its scheme.
func (in *input) checkRecord(record model.VersionDB) {
	err := model.ValidateRecord(record)
	if err == nil && record.Details != nil {
		err = versions.CheckRecord(record)
	}
	in.merge(err)
}
