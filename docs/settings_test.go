package docs_test

import (
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/test/load/measure"
)

var write = flag.Bool("write", false, "write the table of settings into configuration.md")

// The page of settings is written from the settings, so that it says what the program does and what its help says.
func TestSettingsPage(t *testing.T) {
	const page = "configuration.md"
	table := settingsTable(config.Settings())
	if *write {
		require.NoError(t, measure.ReplaceSection(page, "settings", table))
	}
	require.True(t, strings.Contains(mustRead(t, page), "<!-- settings: begin -->\n"+table+"<!-- settings: end -->\n"), "docs/%s is stale: run make docs", page)
}

func settingsTable(settings []config.Setting) string {
	var table strings.Builder
	table.WriteString("| key | environment | flag | default | meaning |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range settings {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", s.Key, cell(s.Env), cell(flagOf(s)), cell(s.Default), meaning(s))
	}
	return table.String()
}

func flagOf(s config.Setting) string {
	if s.Flag == "" {
		return ""
	}
	return "--" + s.Flag + " " + s.Arg
}

// literal matches what people write as it stands: the keys of settings, and forms.
var literal = regexp.MustCompile(`\b[a-z]+\.[a-zA-Z]+\b|\S+[:=]\S+,\.\.\.|\[\S+}`)

func meaning(s config.Setting) string {
	text := literal.ReplaceAllString(s.Meaning, "`$0`")
	if what, where, more := strings.Cut(s.See, ": "); more {
		text += fmt.Sprintf(" ([%s](%s))", what, where)
	}
	return text
}
