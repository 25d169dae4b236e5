package config

import (
	"fmt"
	"reflect"
	"strings"
)

const envPrefix = "VERSIOND_"

// Setting describes one setting for help texts and documentation.
type Setting struct {
	// Key is the path in the file, for example memoryDB.evictRatio or raft.nodes[].address.
	Key string
	// Env is the environment variable; empty for the fields of a list's elements.
	Env string
	// Flag is the flag's name without dashes, and Arg what its argument is called; mostly empty.
	Flag, Arg string
	// Default is the default as a flag or variable would give it; empty when there is none.
	Default string
	// Example is a right value.
	Example string
	// Meaning is, in a few words, what the setting does.
	Meaning string
	// See is where a manual has more of it, as what and an address with a colon between them; mostly empty.
	See string

	value reflect.Value
}

// Settings lists every setting in the order of Config's fields.
func Settings() []Setting { return settingsOf(reflect.ValueOf(GetConfig()), "") }

// settingsBy indexes the settings of c by one of their names; those without that name are left out.
func (c *Config) settingsBy(name func(Setting) string) map[string]Setting {
	index := make(map[string]Setting)
	for _, s := range settingsOf(reflect.ValueOf(c).Elem(), "") {
		if n := name(s); n != "" {
			index[n] = s
		}
	}
	return index
}

func settingsOf(section reflect.Value, prefix string) []Setting {
	var all []Setting
	for i := range section.NumField() {
		field, value := section.Type().Field(i), section.Field(i)
		key := prefix + field.Tag.Get("yaml")
		if value.Kind() == reflect.Struct {
			all = append(all, settingsOf(value, key+".")...)
			continue
		}
		all = append(all, newSetting(key, field, value))
		all = append(all, elementSettings(key, field.Type)...)
	}
	return all
}

// elementSettings lists the fields of a list's elements. They have no variable and no default of
// their own, since a list is given whole.
func elementSettings(key string, t reflect.Type) []Setting {
	if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	all := settingsOf(reflect.Zero(t.Elem()), key+"[].")
	for i := range all {
		all[i].Env, all[i].Default = "", ""
	}
	return all
}

func newSetting(key string, field reflect.StructField, value reflect.Value) Setting {
	flag, arg, _ := strings.Cut(field.Tag.Get("flag"), " ")
	return Setting{
		Key:     key,
		Env:     envName(key, field),
		Flag:    flag,
		Arg:     arg,
		Default: formatDefault(value),
		Example: field.Tag.Get("example"),
		Meaning: field.Tag.Get("usage"),
		See:     field.Tag.Get("see"),
		value:   value,
	}
}

func envName(key string, field reflect.StructField) string {
	if name := field.Tag.Get("env"); name != "" {
		return envPrefix + name
	}
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// formatDefault is the reverse of parseText.
func formatDefault(value reflect.Value) string {
	if value.Kind() != reflect.Slice {
		return fmt.Sprint(value.Interface())
	}
	parts := make([]string, value.Len())
	for i := range parts {
		parts[i] = fmt.Sprint(value.Index(i).Interface())
	}
	return strings.Join(parts, ",")
}
