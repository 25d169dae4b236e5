package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
)

const redacted = "[redacted]"

// Secret is a value that never appears in print: not through fmt with any verb, not in a log, not in
// JSON or YAML. Reveal is the one way to read it.
type Secret string

// Reveal returns the value itself, for the driver that needs it and for nobody else.
func (s Secret) Reveal() string { return string(s) }

// String shows only whether there is a value.
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

// readSecretFiles fills in the secrets for which files are named.
func (c *Config) readSecretFiles() error {
	errs := []error{readSecretFile("cluster.secret", c.Cluster.SecretFile, &c.Cluster.Secret)}
	for i := range c.Auth.Tokens {
		t := &c.Auth.Tokens[i]
		errs = append(errs, readSecretFile(fmt.Sprintf("auth.tokens[%d].secret", i), t.SecretFile, &t.Secret))
	}
	return errors.Join(errs...)
}

// readSecretFile reads the secret of the setting at key, without the line end that editors leave.
func readSecretFile(key, name string, secret *Secret) error {
	if name == "" {
		return nil
	}
	if *secret != "" {
		return fmt.Errorf("%sFile: is given, and %s too; one of them is right", key, key)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("%sFile: %w", key, withoutPath(err))
	}
	if *secret = Secret(strings.TrimRight(string(text), "\r\n")); *secret == "" {
		return fmt.Errorf("%sFile: the file is empty", key)
	}
	return nil
}

// withoutPath drops the name of the file: whoever takes the setting for the other one has the secret
// itself there.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return fmt.Errorf("cannot read the file: %w", at.Err)
	}
	return err
}
