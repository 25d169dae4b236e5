package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If this fails, the page names a test or a file that is not there, and nobody can tell what a check is proven on.
func TestReliabilityNamesWhatIsThere(t *testing.T) {
	page, err := os.ReadFile("reliability.md")
	require.NoError(t, err)
	tests := testNames(t)
	for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(page), -1) {
		require.Contains(t, tests, name[1])
	}
	for _, file := range regexp.MustCompile("`([a-z]+/[a-z_]+\\.go)`").FindAllStringSubmatch(string(page), -1) {
		require.FileExists(t, filepath.Join("..", file[1]))
	}
}

// testNames returns the names of all tests of the module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names, test := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	require.NoError(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, name := range test.FindAllStringSubmatch(string(source), -1) {
			names[name[1]] = true
		}
		return err
	}))
	return names
}
