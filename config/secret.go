package config

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a value that never appears in print: not through fmt with any verb, not in a log, not in
// JSON or YAML. Reveal is the one way to read it.
type Secret string

// Reveal returns the value itself, for the driver that needs it and for nobody else.
func (s Secret) Reveal() string { return string(s) }

// String tells only whether there is a value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format covers every verb: with String and GoString alone, %d would still print the value.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText keeps the value out of JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps the value out of structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
