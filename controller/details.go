package controller

import (
	"encoding/json"
	"slices"
	"strconv"

	"versiond/model"
	"versiond/service/versions"
)

// namedDetails are the details that a body names, which may be to clear them.
type namedDetails struct {
	details model.Details
	names   model.DetailSet
}

// detailNames are the JSON fields of details, in the order in which people read of them, and what they name.
var (
	detailNames = []string{"scheme", "minVersionNo", "fromVersionNo", "mandatory", "rolloutPercent", "withdrawn", "attributes"}
	detailSets  = []model.DetailSet{model.DetailScheme, model.DetailMinVersionNo, model.DetailFromVersionNo, model.DetailMandatory,
		model.DetailRolloutPercent, model.DetailWithdrawn, model.DetailAttributes}
)

// detail reads a field that is one of details, and reports whether it is.
func (in *input) detail(field string, value json.RawMessage, into *namedDetails) bool {
	i := slices.Index(detailNames, field)
	if i < 0 || into == nil {
		return false
	}
	into.names |= detailSets[i]
	if value[0] != 'n' { // null clears it
		in.readDetail(field, value, &into.details)
	}
	return true
}

func (in *input) readDetail(field string, value json.RawMessage, d *model.Details) {
	switch field {
	case "scheme":
		d.Scheme = in.text(field, value)
	case "minVersionNo":
		d.MinVersionNo = in.text(field, value)
	case "fromVersionNo":
		d.FromVersionNo = in.text(field, value)
	case "mandatory":
		d.Mandatory = in.flag(field, value)
	case "rolloutPercent":
		d.RolloutPercent = in.percent(field, value)
	case "withdrawn":
		d.Withdrawn = in.flag(field, value)
	case "attributes":
		d.Attributes = in.attributes(field, value)
	}
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
	if err == nil {
		err = versions.CheckRecord(record)
	}
	in.merge(err)
}
