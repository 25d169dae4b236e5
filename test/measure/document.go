package measure

import (
	"fmt"
	"os"
	"strings"
)

// ReplaceSection puts text between the marks of a section of a Markdown file, of which each command
// writes its own.
func ReplaceSection(path, section, text string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := fmt.Sprintf("<!-- %s: begin -->\n", section), fmt.Sprintf("<!-- %s: end -->\n", section)
	before, rest, hasBegin := strings.Cut(string(data), begin)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasBegin || !hasEnd {
		return fmt.Errorf("%s has no section between %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}
