package config

import (
	"reflect"

	"github.com/knadh/koanf/providers/posflag"
	"github.com/spf13/pflag"
)

// fileFlag names the file to read.
const fileFlag = "config"

// BindFlags declares the flags that Load reads, with their defaults for the help text. A value of
// the wrong form is refused when the flags are parsed.
func BindFlags(flags *pflag.FlagSet) {
	flags.Var(newFlagValue(reflect.TypeFor[string](), "FILE", ""), fileFlag, "YAML file with settings")
	for _, s := range Settings() {
		if s.Flag != "" {
			flags.Var(newFlagValue(s.typ, s.Arg, s.Default), s.Flag, s.Meaning)
		}
	}
}

// flagsProvider gives koanf the flags that were given on the command line, by key.
func flagsProvider(flags *pflag.FlagSet) *posflag.Posflag {
	settings := settingsBy(func(s Setting) string { return s.Flag })
	return posflag.ProviderWithFlag(flags, ".", nil, func(f *pflag.Flag) (string, any) {
		value, own := f.Value.(*flagValue)
		if !own {
			return "", nil
		}
		return settings[f.Name].Key, value.parsed
	})
}

// flagValue is a pflag.Value that takes what parseText takes, so that a flag and a variable accept
// the same forms.
type flagValue struct {
	typ    reflect.Type
	arg    string
	text   string
	parsed any
}

func newFlagValue(t reflect.Type, arg, text string) *flagValue {
	return &flagValue{typ: t, arg: arg, text: text}
}

// String gives the text as it was given.
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
	parsed, err := parseText(v.typ, text)
	if err != nil {
		return err
	}
	v.text, v.parsed = text, parsed
	return nil
}
