package config

import "strings"

// suggestion ends an error about an unknown name with the known name that was probably meant, or with
// nothing when none is close.
func suggestion(name string, known []string) string {
	best, bestEdits := "", editsMax(name)+1
	for _, candidate := range known {
		if n := edits(strings.ToLower(name), strings.ToLower(candidate)); n < bestEdits {
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

// edits counts the letters to insert, delete or replace to get from a to b (Levenshtein), keeping one
// row of the table.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
