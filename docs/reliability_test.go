package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// If this fails, the page names a test or a file that is not there, and nobody can tell what a check is proven on.
func TestReliabilityNamesWhatIsThere(t *testing.T) {
	page := mustRead(t, "reliability.md")
	tests := testNames(t)
	for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(page, -1) {
		require.Contains(t, tests, name[1])
	}
}

// If this fails, a page names a file that was moved, and whoever wants to change something does not find it.
func TestPagesNameFilesThatAreThere(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	decisions, err := filepath.Glob("adr/*.md")
	require.NoError(t, err)
	file := regexp.MustCompile("`([a-z]+(?:/[a-z]+)*/[a-z_]+\\.go)`")
	for _, page := range append(pages, decisions...) {
		for _, name := range file.FindAllStringSubmatch(mustRead(t, page), -1) {
			require.FileExists(t, filepath.Join("..", name[1]), page)
		}
	}
}

// testNames returns the names of all tests of the module.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names, test := map[string]bool{}, regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	eachSource(t, func(path, text string) {
		if strings.HasSuffix(path, "_test.go") {
			for _, name := range test.FindAllStringSubmatch(text, -1) {
				names[name[1]] = true
			}
		}
	})
	return names
}
