package docs_test

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If this fails, somebody who is told to empty a directory may throw away the only copy of what was acknowledged.
func TestNoMessageSaysToEmptyADirectoryButTheAdvice(t *testing.T) {
	toEmpty := regexp.MustCompile(`(?i)empt(y|ied) (this node's |its |that |the |a )?(data )?director`)
	read := 0
	eachSource(t, func(file, source string) {
		if !ofProgram(file) || strings.HasPrefix(file, "docs/") || path.Base(file) == "advice.go" {
			return
		}
		read++
		for i, line := range strings.Split(source, "\n") {
			if text, _, _ := strings.Cut(line, "//"); strings.Contains(text, `"`) && !strings.Contains(text, "model.RejoinAdvice") {
				require.NotRegexp(t, toEmpty, text, "%s:%d: end the message with model.RejoinAdvice", file, i+1)
			}
		}
	})
	require.Greater(t, read, 150)
}
