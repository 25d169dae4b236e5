package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkEdges is edgeProblem for the value of the named variable.
func checkEdges(name, text string) error {
	if err := edgeProblem(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// edgeProblem refuses a value that begins or ends with what belongs to the place it came from: the line
// ends of a file from Windows, or quotes that no shell took away. It shows that character alone, since
// the rest may be a secret.
func edgeProblem(text string) error {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	switch {
	case text == "":
		return nil
	case wraps(first):
		return fmt.Errorf("the value begins with %s; leave that away, or, should it belong there, set this in the file of --config", called(first))
	case wraps(last):
		return fmt.Errorf("the value ends with %s; leave that away, or, should it belong there, set this in the file of --config", called(last))
	}
	return nil
}

func wraps(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("\"'`“”‘’„", r)
}

func called(r rune) string {
	switch r {
	case '\r':
		return `a carriage return (\r)`
	case '\n':
		return `a line end (\n)`
	case '\t':
		return `a tab (\t)`
	case ' ':
		return "a blank"
	case '"':
		return `a double quote (")`
	case '\'':
		return "a single quote (')"
	}
	return fmt.Sprintf("the character %q (%U)", r, r)
}

// checkPrintable refuses what is no part of any name of a file or a database.
func checkPrintable(p *problems, key, text string) {
	if i := strings.IndexFunc(text, unicode.IsControl); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		p.add(key, "has %s in it", called(r))
	}
}
