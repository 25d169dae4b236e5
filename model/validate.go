package model

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"
)

// Bounds of a record's fields. They are part of what every node agrees on: widening them needs a
// cluster in which every node knows the wider ones.
const (
	// IDBytesMax is the longest id in bytes.
	IDBytesMax = 128
	// TextRunesMax is the longest versionNo and platform in characters.
	TextRunesMax = 64
	// AttributesMax is the most attributes of a record, AttributesBytesMax the most bytes of their names and values.
	AttributesMax      = 16
	AttributesBytesMax = 2048
	// schemeBytesMax is the longest name of a scheme, of which package versions knows those that there are.
	schemeBytesMax = 16
)

// The rules that a text can break, and what would be right. The names are validator tags.
const (
	ruleRequired = "required"
	ruleUTF8     = "utf8"
	ruleControl  = "control"
	ruleBlanks   = "blanks"
	ruleDots     = "dots"
	ruleIDLength = "idlength"
	ruleLength   = "length"

	ruleScheme         = "scheme"
	rulePercent        = "percent"
	ruleAttributes     = "attributes"
	ruleAttributeName  = "attributename"
	ruleAttributeValue = "attributevalue"
)

// ruleDetail returns the words for a broken rule, as users read them.
func ruleDetail(rule string) string {
	switch rule {
	case ruleRequired:
		return "is required and must not be empty"
	case ruleUTF8:
		return "must be valid UTF-8"
	case ruleControl:
		return "must not contain control characters such as tabs and line breaks"
	case ruleBlanks:
		return "must not begin or end with a blank, nor consist of blanks"
	case ruleDots:
		return `must not be "." or "..", nor have one of them between slashes`
	case ruleIDLength:
		return "must be 1 to 128 bytes long"
	case ruleLength:
		return "must be 1 to 64 characters long"
	case ruleScheme:
		return "must be the name of a scheme, such as semver"
	case rulePercent:
		return "must be a whole number from 0 to 100"
	case ruleAttributes:
		return "must be at most 16, whose names and values are at most 2048 bytes long together"
	case ruleAttributeName:
		return "must have names of 1 to 64 characters without control characters and without blanks around them"
	case ruleAttributeValue:
		return "must have values in valid UTF-8 without control characters other than line breaks and tabs"
	}
	return "breaks the rule " + rule
}

// ValidateRecord returns nil or a *ValidationError with one entry for each wrong field. It does not
// look at Revision. The service calls it again before it proposes, so it is cheap; any goroutine
// may call it.
func ValidateRecord(record VersionDB) error {
	err := recordValidator().Struct(&record)
	if err == nil {
		return nil
	}
	var broken validator.ValidationErrors
	if !errors.As(err, &broken) {
		return err
	}
	fields := make([]FieldError, 0, len(broken))
	for _, each := range broken {
		fields = append(fields, FieldError{Field: each.Field(), Detail: ruleDetail(each.Tag())})
	}
	return &ValidationError{Fields: fields}
}

// ValidateCommand is ValidateRecord for what a command writes, and ValidateID for a delete.
func ValidateCommand(c Command) error {
	switch c.Type {
	case CommandAdd, CommandUpdate:
		return ValidateRecord(c.Record(c.Details, 0))
	case CommandDelete:
		return ValidateID(c.ID)
	}
	return invalidUnless("type", "type")
}

// ValidateID returns nil or a *ValidationError for the field "id". Any goroutine may call it.
func ValidateID(id string) error { return invalidUnless("id", brokenIDRule(id)) }

// ValidatePrefix returns nil or a *ValidationError for the field "prefix", which holds the beginning of an id or nothing. Any
// goroutine may call it.
func ValidatePrefix(prefix string) error { return invalidUnless("prefix", brokenPrefixRule(prefix)) }

// ValidateText returns nil or a *ValidationError for a field that holds a versionNo or a platform. Any goroutine may call it.
func ValidateText(field, text string) error { return invalidUnless(field, brokenTextRule(text)) }

func invalidUnless(field, rule string) error {
	if rule == "" {
		return nil
	}
	return Invalid(field, ruleDetail(rule))
}

// recordValidator is made once: the validator caches what it learnt about a struct by reflection.
var recordValidator = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	v.RegisterStructValidation(reportBrokenRules, VersionDB{})
	return v
})

// reportBrokenRules adds what the required tags of VersionDB cannot say. Empty fields are left to
// those tags, so that a field is reported once.
func reportBrokenRules(sl validator.StructLevel) {
	record := sl.Current().Addr().Interface().(*VersionDB)
	report := func(value, name, structName, rule string) {
		if value != "" && rule != "" {
			sl.ReportError(value, name, structName, rule, "")
		}
	}
	report(record.ID, "id", "ID", brokenIDRule(record.ID))
	report(record.VersionNo, "versionNo", "VersionNo", brokenTextRule(record.VersionNo))
	report(record.Platform, "platform", "Platform", brokenTextRule(record.Platform))
	d := record.Details
	if d == nil {
		return
	}
	report(d.MinVersionNo, "minVersionNo", "MinVersionNo", brokenTextRule(d.MinVersionNo))
	report(d.FromVersionNo, "fromVersionNo", "FromVersionNo", brokenTextRule(d.FromVersionNo))
	if len(d.Scheme) > schemeBytesMax || brokenCharacterRule(d.Scheme) != "" && d.Scheme != "" {
		sl.ReportError(d.Scheme, "scheme", "Scheme", ruleScheme, "")
	}
	if d.RolloutPercent != nil && *d.RolloutPercent > 100 {
		sl.ReportError(d.RolloutPercent, "rolloutPercent", "RolloutPercent", rulePercent, "")
	}
	if rule := brokenAttributesRule(d.Attributes); rule != "" {
		sl.ReportError(d.Attributes, "attributes", "Attributes", rule, "")
	}
}

func brokenAttributesRule(attributes map[string]string) string {
	bytes := 0
	for name, value := range attributes {
		switch bytes += len(name) + len(value); {
		case brokenTextRule(name) != "":
			return ruleAttributeName
		case !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }):
			return ruleAttributeValue
		}
	}
	if len(attributes) > AttributesMax || bytes > AttributesBytesMax {
		return ruleAttributes
	}
	return ""
}

func brokenIDRule(id string) string {
	switch {
	case id == "":
		return ruleRequired
	case hasDotSegment(id):
		return ruleDots
	case len(id) > IDBytesMax:
		return ruleIDLength
	}
	return brokenCharacterRule(id)
}

// hasDotSegment reports whether some program between here and the client might take a part of an id for a step in a path.
func hasDotSegment(id string) bool {
	for part := range strings.SplitSeq(id, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

func brokenTextRule(text string) string {
	switch {
	case text == "":
		return ruleRequired
	case utf8.RuneCountInString(text) > TextRunesMax:
		return ruleLength
	}
	return brokenCharacterRule(text)
}

func brokenPrefixRule(prefix string) string {
	if len(prefix) > IDBytesMax {
		return ruleIDLength
	}
	return unreadableRule(prefix)
}

func brokenCharacterRule(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	if rule := unreadableRule(text); rule != "" {
		return rule
	}
	if unicode.IsSpace(first) || unicode.IsSpace(last) {
		return ruleBlanks
	}
	return ""
}

func unreadableRule(text string) string {
	switch {
	case !utf8.ValidString(text):
		return ruleUTF8
	case strings.ContainsFunc(text, unicode.IsControl):
		return ruleControl
	}
	return ""
}
