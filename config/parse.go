package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// setText sets a setting to what parseText makes of text.
func setText(into reflect.Value, text string) error {
	value, err := parseText(into.Type(), text)
	if err == nil {
		into.Set(reflect.ValueOf(value).Convert(into.Type()))
	}
	return err
}

// parseText turns text into a value of the setting's type. Flags, environment and file all come
// through here, so that they accept the same forms. A Secret cannot fail and tokens are not quoted,
// hence no error gives a secret away.
func parseText(t reflect.Type, text string) (any, error) {
	switch reflect.Zero(t).Interface().(type) {
	case time.Duration:
		return parseDuration(text)
	case int:
		return parsed(text, "not a whole number", strconv.Atoi)
	case float64:
		return parsed(text, "not a number", parseFloat)
	case []string:
		return parseList(text), nil
	case bool:
		return parsed(text, "neither true nor false", strconv.ParseBool)
	case []Node:
		return parseNodes(text)
	case []Token:
		return parseTokens(text)
	case []Certificate:
		return parseCertificates(text)
	default:
		return text, nil
	}
}

// parseDuration wants a unit even where time.ParseDuration does not (for "0"): whoever leaves it out
// has seconds or milliseconds in mind, and nobody can tell which.
func parseDuration(text string) (any, error) {
	if _, err := parseFloat(text); err == nil {
		return nil, fmt.Errorf("%q is a bare number; a duration needs a unit (ms, s, m or h)", text)
	}
	return parsed(text, "not a duration", time.ParseDuration)
}

func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// parsed is what parse makes of text; its error says what text is instead.
func parsed[T any](text, what string, parse func(string) (T, error)) (any, error) {
	value, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is %s", text, what)
	}
	return value, nil
}

// parseList splits at commas. Empty text is an empty list; an empty part stays, for Validate to report.
func parseList(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	return parts
}
