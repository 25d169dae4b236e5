package versions_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/versions"
)

func FuzzNatural(f *testing.F) { fuzzOrder(f, "natural") } // slow
func FuzzSemver(f *testing.F)  { fuzzOrder(f, "semver") }  // slow
func FuzzDebian(f *testing.F)  { fuzzOrder(f, "debian") }  // slow
func FuzzRpm(f *testing.F)     { fuzzOrder(f, "rpm") }     // slow
func FuzzMaven(f *testing.F)   { fuzzOrder(f, "maven") }   // slow
func FuzzPypi(f *testing.F)    { fuzzOrder(f, "pypi") }    // slow
func FuzzNuget(f *testing.F)   { fuzzOrder(f, "nuget") }   // slow
func FuzzPub(f *testing.F)     { fuzzOrder(f, "pub") }     // slow

// fuzzOrder compares any three texts. Nothing panics, what the scheme takes it orders without a circle, and the rest it refuses.
func fuzzOrder(f *testing.F, scheme string) {
	for i, rank := range inOrder[scheme] {
		f.Add(rank[0], rank[len(rank)-1], inOrder[scheme][i/2][0])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		texts := []string{a, b, c}
		refused := slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return check(scheme, text) == nil })
		order := func(a, b string) int {
			result, err := versions.Compare(scheme, a, b)
			if slices.Contains(refused, a) || slices.Contains(refused, b) {
				require.ErrorIs(t, err, model.ErrInvalid)
			} else {
				require.NoError(t, err)
			}
			return result
		}
		slices.SortFunc(texts, order)
		if len(refused) > 0 {
			return
		}
		for i, lower := range texts {
			for _, higher := range texts[i:] {
				require.LessOrEqual(t, order(lower, higher), 0, "%q, %q of %q", lower, higher, texts)
				require.Equal(t, -order(lower, higher), order(higher, lower), "%q, %q", lower, higher)
			}
			require.Zero(t, order(lower, lower))
		}
		if order(texts[0], texts[2]) == 0 {
			require.Zero(t, order(texts[0], texts[1]), "%q", texts)
		}
	})
}
