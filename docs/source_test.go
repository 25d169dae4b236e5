package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachSource hands read every Go file of the module, with its path from the root, but for those of folders whose names
// begin with a dot.
func eachSource(t *testing.T, read func(path, text string)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		text, err := os.ReadFile(path)
		read(filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator))), string(text))
		return err
	}))
}

// ofProgram reports whether a file is one that the program is made of.
func ofProgram(path string) bool {
	return !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "test/")
}
