package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// said finds what a script says by t and tn, and inChinese what zh.js has for it.
var (
	said      = regexp.MustCompile(`\bt\('((?:[^'\\]|\\.)*)'`)
	counted   = regexp.MustCompile(`\btn\([^']*'((?:[^'\\]|\\.)*)',\s*'((?:[^'\\]|\\.)*)'`)
	inChinese = regexp.MustCompile(`(?m)^  '((?:[^'\\]|\\.)*)': '[^']+',$`)
)

// Who reads Chinese must not meet an English sentence in the middle, and what nobody says any more is no work for a translator.
func TestEverythingIsSaidInChinese(t *testing.T) {
	var english, chinese []string
	scripts(t, func(name, content string) {
		if name == "console/zh.js" {
			for _, m := range inChinese.FindAllStringSubmatch(content, -1) {
				chinese = append(chinese, m[1])
			}
			return
		}
		for _, m := range slices.Concat(said.FindAllStringSubmatch(content, -1), counted.FindAllStringSubmatch(content, -1)) {
			english = append(english, m[1:]...)
		}
	})
	slices.Sort(english)
	require.ElementsMatch(t, slices.Compact(english), chinese)
}

// What a page of one's own host can be made to run is the node's alone: nothing may come from elsewhere, and nothing may
// be turned from text into markup.
func TestScriptsTakeNothingFromElsewhere(t *testing.T) {
	scripts(t, func(name, content string) {
		require.NotRegexp(t, `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`, content, name)
		require.NotRegexp(t, `(?:from|import\() ?'(?:https?:|/)`, content, name)
		require.NotRegexp(t, `setAttribute\('style'`, content, name+": the policy keeps out what stands in line")
	})
}

func scripts(t *testing.T, each func(name, content string)) {
	t.Helper()
	require.NoError(t, fs.WalkDir(files, "console", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".js") {
			return err
		}
		content, err := files.ReadFile(name)
		each(name, string(content))
		return err
	}))
}
