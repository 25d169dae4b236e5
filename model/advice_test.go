package model_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If this fails, somebody who is told to empty a directory may throw away the only copy of what was acknowledged.
func TestNoMessageSaysToEmptyADirectoryButTheAdvice(t *testing.T) {
	toEmpty := regexp.MustCompile(`(?i)empt(y|ied) (this node's |its |that |the |a )?(data )?director`)
	read := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && (path == "../docs" || path == "../test") {
			return fs.SkipDir // what the program does not say
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "advice.go" {
			return err
		}
		read++
		source, err := os.ReadFile(path)
		for i, line := range strings.Split(string(source), "\n") {
			if text, _, _ := strings.Cut(line, "//"); strings.Contains(text, `"`) && !strings.Contains(text, "model.RejoinAdvice") {
				require.NotRegexp(t, toEmpty, text, "%s:%d: end the message with model.RejoinAdvice", path, i+1)
			}
		}
		return err
	}))
	require.Greater(t, read, 150)
}
