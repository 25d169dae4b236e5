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
		return parseInt(text)
	case float64:
		return parseFloat(text)
	case []string:
		return parseList(text), nil
	case bool:
		return parseBool(text)
	case []Node:
		return parseNodes(text)
	case []Token:
		return parseTokens(text)
	default:
		return text, nil
	}
}

// parseDuration wants a unit even where time.ParseDuration does not (for "0"): whoever leaves it out
// has seconds or milliseconds in mind, and nobody can tell which.
func parseDuration(text string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%q is a bare number; a duration needs a unit (ms, s, m or h)", text)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	return d, nil
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return f, nil
}

func parseBool(text string) (bool, error) {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", text)
	}
	return b, nil
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
