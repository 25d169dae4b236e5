package config

import (
	"errors"
	"fmt"

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

// Renewed returns the settings of nodes that run, with what can change meanwhile taken from those that were read anew. These are
// right among themselves; what is taken of them has to be right beside what stays, too: a node that may be reached from
// elsewhere goes on being so, and must not be left without tokens.
func (c Config) Renewed(anew Config) (Config, error) {
	c.Log.Level = anew.Log.Level
	c.Auth.Tokens, c.Auth.Certificates, c.Auth.Disabled = anew.Auth.Tokens, anew.Auth.Certificates, anew.Auth.Disabled
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("beside the settings that a restart alone changes: %w; a restart takes all of the file", err)
	}
	return c, nil
}

// fileName returns the file to read, or "" when none was named.
func fileName(flags *pflag.FlagSet, environ []string) string {
	if f := flags.Lookup(fileFlag); f != nil && f.Changed {
		return f.Value.String()
	}
	return LookupEnv(environ, fileEnv)
}
