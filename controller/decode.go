package controller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeTexts reads data as one JSON object whose values are all strings; target gives where each
// goes, nil for a field that does not exist. encoding/json alone would take ID for id, the last of
// two equal fields, null for nothing, and replace bytes that are not UTF-8: each of them stores
// something else than was sent, so each is reported. It returns false when data is no object.
func (in *input) decodeTexts(data []byte, target func(name string) *string) bool {
	if why := notAnObject(data); why != "" {
		in.wrong("body", why)
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	_, _ = decoder.Token() // the opening brace; the syntax is known to be right
	seen := make(map[string]bool, 4)
	for decoder.More() {
		name, _ := decoder.Token()
		var value json.RawMessage
		_ = decoder.Decode(&value)
		in.decodeField(name.(string), value, target, seen)
	}
	return true
}

// notAnObject tells why data is not one well-formed JSON object, or "".
func notAnObject(data []byte) string {
	const want = `must be one JSON object such as {"id":"app","versionNo":"1.0.0","platform":"linux"}`
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

func (in *input) decodeField(name string, value json.RawMessage, target func(string) *string, seen map[string]bool) {
	to := target(name)
	switch {
	case seen[name]:
		in.wrong(name, "is given more than once")
	case to == nil:
		in.wrong(name, unknownField(name, target))
	case value[0] != '"':
		in.wrong(name, "must be a string in double quotes, not "+kindOf(value))
	case loneSurrogate(value):
		in.wrong(name, `must not contain half of a \u surrogate pair`)
	default:
		_ = json.Unmarshal(value, to) // a well-formed string always fits
	}
	seen[name] = true
}

func unknownField(name string, target func(string) *string) string {
	if name == "revision" {
		return "is set by the cluster; send it in the If-Match header to make a change depend on it"
	}
	for _, known := range []string{"id", "versionNo", "platform"} {
		if strings.EqualFold(name, known) && target(known) != nil {
			return "is not known; write it as " + known
		}
	}
	return "is not known; a record has id, versionNo and platform"
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

// loneSurrogate tells whether a well-formed JSON string has a \u escape that is half of a surrogate
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

// escaped gives the code unit of the \uXXXX that text begins with, 0 when it begins with none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit)
}
