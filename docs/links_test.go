package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// If this fails, a page sends its reader to a page or a section that is not there.
func TestLinksLeadSomewhere(t *testing.T) {
	checked := 0
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md", "../deploy/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range pages {
			for _, to := range link.FindAllStringSubmatch(mustRead(t, page), -1) {
				if file, section, _ := strings.Cut(to[1], "#"); !strings.Contains(file, "://") {
					checked++
					requireSection(t, page, file, section)
				}
			}
		}
	}
	require.Greater(t, checked, 100)
}

func requireSection(t *testing.T, page, file, section string) {
	t.Helper()
	target := page
	if file != "" {
		target = filepath.Join(filepath.Dir(page), file)
	}
	_, err := os.Stat(target)
	require.NoError(t, err, page)
	if section == "" {
		return
	}
	for _, title := range heading.FindAllStringSubmatch(mustRead(t, target), -1) {
		if anchor(title[1]) == section {
			return
		}
	}
	require.Fail(t, "no such section", "%s: %s#%s", page, file, section)
}

// anchor returns what a heading is called in a link.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}
