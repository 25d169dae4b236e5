package config

import (
	"errors"
	"reflect"

	"github.com/spf13/pflag"
)

// fileFlag names the file to read.
const fileFlag = "config"

// BindFlags declares the flags that Load reads, with their defaults for the help text. A value of
// the wrong form is refused when the flags are parsed.
func BindFlags(flags *pflag.FlagSet) {
	flags.Var(&flagValue{reflect.TypeFor[string](), "FILE", ""}, fileFlag, "YAML file with settings")
	for _, s := range Settings() {
		if s.Flag != "" {
			flags.Var(&flagValue{s.value.Type(), s.Arg, s.Default}, s.Flag, s.Meaning)
		}
	}
}

// readFlags takes over what was given on the command line.
func (c *Config) readFlags(flags *pflag.FlagSet) error {
	settings := c.settingsBy(func(s Setting) string { return s.Flag })
	var errs []error
	flags.Visit(func(f *pflag.Flag) {
		if s, ours := settings[f.Name]; ours {
			errs = append(errs, setText(s.value, f.Value.String()))
		}
	})
	return errors.Join(errs...)
}

// flagValue is a pflag.Value that takes what parseText takes, so that a flag and a variable accept
// the same forms.
type flagValue struct {
	typ       reflect.Type
	arg, text string
}

// String returns the text as it was given.
func (v *flagValue) String() string { return v.text }

// Type is what the help text calls the argument.
func (v *flagValue) Type() string { return v.arg }

// Set parses one value. A list that is given again grows.
func (v *flagValue) Set(text string) error {
	if v.typ.Kind() == reflect.Slice && v.text != "" {
		text = v.text + "," + text
	}
	if err := edgeProblem(text); err != nil {
		return err
	}
	if _, err := parseText(v.typ, text); err != nil {
		return err
	}
	v.text = text
	return nil
}
