package config

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// suggestion ends an error about an unknown name with the known name that was probably meant, or with
// nothing when none is close.
func suggestion(name string, known []string) string {
	best, bestEdits := "", editsMax(name)+1
	for _, candidate := range known {
		if n := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(candidate)); n < bestEdits {
			best, bestEdits = candidate, n
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// editsMax is how far a name may be off and still be taken for a slip: two letters swapped, more in a
// long name, and not the whole of a short one.
func editsMax(name string) int { return min((len(name)+1)/2, max(2, len(name)/4)) }
