package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// fileEnv names the file to read; like --config it is no setting that the file itself could have.
const fileEnv = envPrefix + "CONFIG"

// ofCommands are the variables of commands that ask a cluster. They set nothing of a node, and may be around where one starts.
var ofCommands = []string{
	envPrefix + "URL", envPrefix + "TOKEN", envPrefix + "TOKEN_FILE", envPrefix + "CA_FILE", envPrefix + "CERT_FILE", envPrefix + "KEY_FILE",
	envPrefix + "OUTPUT",
}

// readEnv takes over what the environment sets, and reports every wrong variable.
func (c *Config) readEnv(environ []string) error {
	settings := c.settingsBy(func(s Setting) string { return s.Env })
	names := append(slices.Sorted(maps.Keys(settings)), fileEnv)
	var errs []error
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || isServiceVariable(name, text) || slices.Contains(ofCommands, name) {
			continue
		}
		if name == fileEnv {
			errs = append(errs, checkEdges(name, text))
			continue
		}
		s, known := settings[name]
		if !known {
			errs = append(errs, fmt.Errorf("%s: no such variable%s", name, suggestion(name, names)))
			continue
		}
		errs = append(errs, s.put(name, text))
	}
	return errors.Join(errs...)
}

// put sets the setting to text, which the named variable holds. Empty text sets nothing.
func (s Setting) put(place, text string) error {
	if text == "" {
		return nil
	}
	if err := checkEdges(place, text); err != nil {
		return err
	}
	if err := setText(s.value, text); err != nil {
		return fmt.Errorf("%s: %w; a right value is %s", place, err, s.Example)
	}
	return nil
}

// serviceVariable matches what Kubernetes puts into the environment for a service called versiond, or
// versiond-something.
var serviceVariable = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// servicePort is the value of such a service's VERSIOND_PORT, which is the name of a setting too.
var servicePort = regexp.MustCompile(`^(tcp|udp|sctp)://`)

// isServiceVariable reports whether a variable tells where a service is, and sets nothing.
func isServiceVariable(name, text string) bool {
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && servicePort.MatchString(text)
}

// LookupEnv returns the last value of a variable, as a shell would.
func LookupEnv(environ []string, name string) string {
	value := ""
	for _, entry := range environ {
		if text, found := strings.CutPrefix(entry, name+"="); found {
			value = text
		}
	}
	return value
}
