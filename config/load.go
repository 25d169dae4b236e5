package config

import (
	"errors"
	"fmt"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

const tag = "koanf"

// Load gives the settings of this process: flags beat environ beats the file beats the defaults. The
// flags were declared by BindFlags and have been parsed; environ has the form of os.Environ.
//
// The configuration it returns is valid. Otherwise the error lists everything that is wrong, first
// what cannot be read and, once all can be, what Validate finds. No error text holds a secret.
func Load(flags *pflag.FlagSet, environ []string) (Config, error) {
	env, envErr := readEnv(environ)
	file, fileErr := readNamedFile(fileName(flags, environ))
	if err := errors.Join(envErr, fileErr); err != nil {
		return Config{}, err
	}
	c, err := merge(
		structs.Provider(GetConfig(), tag),
		confmap.Provider(file, ""),
		confmap.Provider(env, "."),
		flagsProvider(flags),
	)
	if err != nil {
		return Config{}, err
	}
	if err := c.readSecretFiles(); err != nil {
		return Config{}, err
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// fileName gives the file to read, or "" when none was named.
func fileName(flags *pflag.FlagSet, environ []string) string {
	if f := flags.Lookup(fileFlag); f != nil && f.Changed {
		return f.Value.String()
	}
	return lookupEnv(environ, fileEnv)
}

func readNamedFile(name string) (map[string]any, error) {
	if name == "" {
		return nil, nil
	}
	return readFile(name)
}

// merge lays the providers over one another, the last on top.
func merge(layers ...koanf.Provider) (Config, error) {
	k := koanf.New(".")
	for _, layer := range layers {
		if err := k.Load(layer, nil); err != nil {
			return Config{}, fmt.Errorf("merge settings: %w", err)
		}
	}
	var c Config
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, fmt.Errorf("merge settings: %w", err)
	}
	if len(c.Auth.Tokens) == 0 {
		c.Auth.Tokens = nil // no list and an empty one are the same; the library makes either
	}
	return c, nil
}
