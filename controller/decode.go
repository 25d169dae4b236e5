package controller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// textFields says where the fields of a JSON object go whose values are all strings.
type textFields struct {
	// target gives where a field goes, nil when there is no such field.
	target func(name string) *string
	names  []string
	// what has these fields.
	what string
	// revision is where a revision goes, the one field that is a number; revisionDetail says why there is
	// none.
	revision       *uint64
	revisionDetail string
	// details is where details go; nil where there are none.
	details *namedDetails
}

// decodeTexts reads data as one JSON object whose values are all strings. encoding/json alone would take
// ID for id, the last of two equal fields, null for nothing, and replace bytes that are not UTF-8: each
// of them stores something else than was sent, so each is reported. It returns false when data is no
// object.
func (in *input) decodeTexts(data []byte, fields textFields) bool {
	if why := notAnObject(data, `{"id":"app","versionNo":"1.0.0","platform":"linux"}`); why != "" {
		in.wrong("body", why)
		return false
	}
	in.eachTextField(data, fields)
	return true
}

func (in *input) eachTextField(data []byte, fields textFields) {
	in.eachField(data, func(name string, value json.RawMessage) { in.decodeText(name, value, fields) })
}

// eachField gives the fields of data, which is one well-formed JSON object, each once.
func (in *input) eachField(data []byte, take func(name string, value json.RawMessage)) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	_, _ = decoder.Token() // the opening brace; the syntax is known to be right
	seen := make(map[string]bool, 4)
	for decoder.More() {
		token, _ := decoder.Token()
		var value json.RawMessage
		_ = decoder.Decode(&value)
		name := token.(string)
		if seen[name] {
			in.wrong(name, "is given more than once")
			continue
		}
		seen[name] = true
		take(name, value)
	}
}

// notAnObject tells why data is not one well-formed JSON object such as the example, or "".
func notAnObject(data []byte, example string) string {
	want := "must be one JSON object such as " + example
	text := bytes.TrimLeft(data, " \t\r\n")
	if len(text) == 0 {
		return want + "; it is empty"
	}
	if !utf8.Valid(data) {
		return "must be valid UTF-8"
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return want + syntaxDetail(err)
	}
	if text[0] != '{' {
		return want + ", not " + kindOf(text)
	}
	return ""
}

func syntaxDetail(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("; at byte %d: %v", syntax.Offset, syntax)
	}
	return ""
}

func (in *input) decodeText(name string, value json.RawMessage, fields textFields) {
	to := fields.target(name)
	switch {
	case name == "revision" && fields.revision != nil:
		*fields.revision = in.revision(value)
	case in.detail(name, value, fields.details):
	case to == nil:
		in.wrong(name, fields.unknown(name))
	default:
		in.readText(name, value, to)
	}
}

// readText reads a string, and reports whether it is one.
func (in *input) readText(name string, value json.RawMessage, to *string) bool {
	switch {
	case value[0] != '"':
		in.wrong(name, "must be a string in double quotes, not "+kindOf(value))
	case loneSurrogate(value):
		in.wrong(name, `must not contain half of a \u surrogate pair`)
	default:
		return json.Unmarshal(value, to) == nil // a well-formed string always fits
	}
	return false
}

func (f textFields) unknown(name string) string {
	if name == "revision" {
		return f.revisionDetail
	}
	names := f.names
	if f.details != nil {
		names = slices.Concat(names, detailNames)
	}
	for _, known := range names {
		if strings.EqualFold(name, known) {
			return "is not known; write it as " + known
		}
	}
	return "is not known; " + f.what + " has " + strings.Join(names, ", ")
}

// revision reads the revision in a body, as reading the record gave it.
func (in *input) revision(value json.RawMessage) uint64 {
	revision, err := strconv.ParseUint(string(value), 10, 64)
	if err != nil || revision == 0 {
		in.wrong("revision", "must be the number that reading the record gave, such as 4096, or be left out")
	}
	return revision
}

// kindOf names the kind of a well-formed JSON value.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// loneSurrogate reports whether a well-formed JSON string has a \u escape that is half of a surrogate
// pair: it stands for no character, and would be replaced silently.
func loneSurrogate(value []byte) bool {
	for i := 0; i < len(value)-1; i++ {
		if value[i] != '\\' {
			continue
		}
		i++
		first := escaped(value[i-1:])
		if !utf16.IsSurrogate(first) {
			continue
		}
		if utf16.DecodeRune(first, escaped(value[i+5:])) == utf8.RuneError {
			return true
		}
		i += 10
	}
	return false
}

// escaped returns the code unit of the \uXXXX that text begins with, 0 when it begins with none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit)
}
