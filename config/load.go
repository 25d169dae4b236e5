package config

import (
	"errors"

	"github.com/spf13/pflag"
)

// Load returns the settings of this process: flags beat environ beats the file beats the defaults. The
// flags were declared by BindFlags and have been parsed; environ has the form of os.Environ.
//
// The configuration it returns is valid. Otherwise the error lists everything that is wrong, first
// what cannot be read and, once all can be, what Validate finds. No error text holds a secret.
func Load(flags *pflag.FlagSet, environ []string) (Config, error) {
	c := GetConfig()
	// Each beats what was set before it.
	if err := errors.Join(c.readFile(fileName(flags, environ)), c.readEnv(environ), c.readFlags(flags)); err != nil {
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

// fileName returns the file to read, or "" when none was named.
func fileName(flags *pflag.FlagSet, environ []string) string {
	if f := flags.Lookup(fileFlag); f != nil && f.Changed {
		return f.Value.String()
	}
	return lookupEnv(environ, fileEnv)
}
