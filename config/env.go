package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fileEnv names the file to read; like --config it is no setting that the file itself could have.
const fileEnv = envPrefix + "CONFIG"

// readEnv gives the values that the environment sets, by key, and reports every wrong variable.
func readEnv(environ []string) (map[string]any, error) {
	settings := settingsBy(func(s Setting) string { return s.Env })
	names := append(slices.Sorted(maps.Keys(settings)), fileEnv)
	values := make(map[string]any)
	var errs []error
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || name == fileEnv {
			continue
		}
		s, known := settings[name]
		if !known {
			errs = append(errs, fmt.Errorf("%s: no such variable%s", name, suggestion(name, names)))
			continue
		}
		errs = append(errs, s.put(values, name, text))
	}
	return values, errors.Join(errs...)
}

// put parses text, which came from the named place, into values. Empty text sets nothing.
func (s Setting) put(values map[string]any, place, text string) error {
	if text == "" {
		return nil
	}
	value, err := parseText(s.typ, text)
	if err != nil {
		return fmt.Errorf("%s: %w; a right value is %s", place, err, s.Example)
	}
	values[s.Key] = value
	return nil
}

// lookupEnv gives the last value of a variable, as a shell would.
func lookupEnv(environ []string, name string) string {
	value := ""
	for _, entry := range environ {
		if text, found := strings.CutPrefix(entry, name+"="); found {
			value = text
		}
	}
	return value
}
