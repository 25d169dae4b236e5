package cli

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"versiond/config"
)

// variable is one of the environment, which stands for a flag.
type variable struct{ flag, name string }

const outputEnv = "VERSIOND_OUTPUT"

// variables are those of commands that ask a cluster. Where one flag of a group is given, the variables of the whole group
// count for nothing. The settings of nodes have other names, and nodes pass over these.
var variables = [][]variable{
	{{"url", "VERSIOND_URL"}},
	{{"token", "VERSIOND_TOKEN"}, {"token-file", "VERSIOND_TOKEN_FILE"}},
	{{"ca", "VERSIOND_CA_FILE"}},
	{{"cert", "VERSIOND_CERT_FILE"}, {"key", "VERSIOND_KEY_FILE"}},
	{{"output", outputEnv}},
}

// readVariables sets the flags that the environment stands for, and returns what each such flag has its value from.
func readVariables(cmd *cobra.Command, environ []string) (from map[string]string, err error) {
	flags, from := cmd.Flags(), map[string]string{}
	for _, group := range variables {
		if slices.ContainsFunc(group, func(v variable) bool { return flags.Changed(v.flag) }) {
			continue
		}
		for _, v := range group {
			text := config.LookupEnv(environ, v.name)
			if text == "" {
				continue
			}
			if err := flags.Set(v.flag, text); err != nil {
				return nil, usagef(cmd, "%s: %w", v.name, err)
			}
			from[v.flag] = v.name
		}
	}
	return from, nil
}

// place names what a flag has its value from.
func (a *asking) place(flag string) string { return cmp.Or(a.from[flag], "--"+flag) }
