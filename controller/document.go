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

// document reads JSON. encoding/json alone would take ID for id, the last of two equal fields, null for nothing, and
// replace bytes that are not UTF-8: each of them stores something else than was sent, so each is reported.
type document struct{ *faults }

// field is one that a JSON object may have.
type field struct {
	name string
	// into is where its value goes: a *string, a *bool, a *uint64 for a revision, a **uint8 for a percentage, a
	// *map[string]string, or a function. A refused says why there is no such field here.
	into any
	// optional fields may be null, which clears them, and not empty.
	optional bool
}

type refused string

// object reads data as one JSON object with these fields, and returns which of them it has. It returns nil when data is no
// object: to say that fields are missing would only confuse.
func (d document) object(data []byte, what, example string, fields []field) (sent map[string]bool) {
	if why := notAnObject(data, example); why != "" {
		d.wrong("body", why)
		return nil
	}
	return d.fieldsOf(data, what, fields)
}

// fieldsOf reads one well-formed JSON object.
func (d document) fieldsOf(data []byte, what string, fields []field) (sent map[string]bool) {
	sent = make(map[string]bool, 4)
	eachField(data, func(name string, value json.RawMessage) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		switch {
		case i < 0:
			d.wrong(name, unknownField(name, what, fields))
		case sent[name]:
			d.wrong(name, "is given more than once")
		case !fields[i].optional || value[0] != 'n':
			d.read(fields[i], value)
		}
		sent[name] = true
	})
	return sent
}

// eachField calls take with each field of one well-formed JSON object.
func eachField(data []byte, take func(name string, value json.RawMessage)) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	_, _ = decoder.Token() // the opening brace; the syntax is known to be right
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		_ = decoder.Decode(&value)
		take(name.(string), value)
	}
}

func unknownField(name, what string, fields []field) string {
	var names []string
	for _, known := range fields {
		if _, no := known.into.(refused); no {
			continue
		}
		if strings.EqualFold(name, known.name) {
			return "is not known; write it as " + known.name
		}
		names = append(names, known.name)
	}
	return "is not known; " + what + " has " + strings.Join(names, ", ")
}

// read reads a well-formed value.
func (d document) read(f field, value json.RawMessage) {
	switch into := f.into.(type) {
	case *string:
		if d.string(f.name, value, into); f.optional && *into == "" {
			d.wrong(f.name, "must not be empty; leave it out, or clear it with null")
		}
	case *bool:
		if *into = value[0] == 't'; kindOf(value) != "a boolean" {
			d.wrong(f.name, "must be true or false, not "+kindOf(value))
		}
	case *uint64:
		*into = d.revision(f.name, string(value))
	case **uint8:
		*into = d.percent(f.name, string(value))
	case *map[string]string:
		*into = d.strings(f.name, value)
	case func(json.RawMessage):
		into(value)
	case refused:
		d.wrong(f.name, string(into))
	}
}

func (d document) string(name string, value json.RawMessage, into *string) {
	switch {
	case value[0] != '"':
		d.wrong(name, "must be a string in double quotes, not "+kindOf(value))
	case loneSurrogate(value):
		d.wrong(name, `must not contain half of a \u surrogate pair`)
	default:
		_ = json.Unmarshal(value, into) // a well-formed string always fits
	}
}

func (d document) revision(name, value string) uint64 {
	revision, err := strconv.ParseUint(value, 10, 64)
	if err != nil || revision == 0 {
		d.wrong(name, "must be the number that reading the record gave, such as 4096, or be left out")
	}
	return revision
}

func (d document) percent(name, value string) *uint8 {
	percent, err := strconv.ParseUint(value, 10, 8)
	if err != nil || percent > 100 {
		d.wrong(name, "must be a whole number from 0 to 100, such as 25")
	}
	short := uint8(percent)
	return &short
}

// strings reads an object whose values are all strings, nil when it has none.
func (d document) strings(name string, value json.RawMessage) (texts map[string]string) {
	if value[0] != '{' {
		d.wrong(name, `must be an object of strings such as {"url":"https://example.org/app"}, not `+kindOf(value))
		return nil
	}
	before := d.within
	d.within += name + "."
	defer func() { d.within = before }()
	eachField(value, func(name string, value json.RawMessage) {
		if _, twice := texts[name]; twice {
			d.wrong(name, "is given more than once")
		}
		if texts == nil {
			texts = map[string]string{}
		}
		var text string
		d.string(name, value, &text)
		texts[name] = text
	})
	return texts
}

// notAnObject returns why data is not one well-formed JSON object such as the example, or "".
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

// kindOf returns the kind of a well-formed JSON value.
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
