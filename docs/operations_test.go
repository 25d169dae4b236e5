package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// loggedText is the text of a line that the manual shows.
var loggedText = regexp.MustCompile(`(?m)^\d\d:\S+ level=\w+ msg=("[^"]+"|\S+)`)

// TestLogOfTheManual breaks when the manual shows a line that the program does not log any more. That a first
// start, a hand-over and a restart alarm nobody is held by the system tests (requireCalm).
func TestLogOfTheManual(t *testing.T) {
	program := mustReadProgram(t)
	shown := loggedText.FindAllStringSubmatch(mustRead(t, "operations.md"), -1)
	require.Greater(t, len(shown), 20)
	for _, line := range shown {
		require.Contains(t, program, `"`+strings.Trim(line[1], `"`)+`"`)
	}
}

// mustReadProgram returns the whole source of the program, without that of tests.
func mustReadProgram(t *testing.T) string {
	t.Helper()
	var source strings.Builder
	eachSource(t, func(path, text string) {
		if ofProgram(path) {
			source.WriteString(text)
		}
	})
	return source.String()
}
