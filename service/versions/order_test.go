package versions_test

import (
	"bufio"
	"cmp"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/versions"
)

// inOrder has, for each scheme, versions from the lowest to the highest; those of one line are equal.
var inOrder = map[string][][]string{
	"natural": {
		{"latest"}, {"版"}, {"0", "", "0.0", "..."}, {"0.patch1"}, {"0.9-rc1"},
		{"1.0.0-alpha", "1.0-a.0", "1ALPHA"}, {"1.0-alpha.1", "1.0.0a1"}, {"1.0.0-beta", "1.0-b-0"}, {"1.0-dev"}, {"1.0-rc.1", "1.0.0-rc.1", "1-cr1", "1.0.0.0c1"},
		{"1.0.0-rc7"}, {"1.0.0-rc11"}, {"1.0.0-rc99999999999999999999998"}, {"1.0.0-rc99999999999999999999999"}, {"1.0.0+rc1"},
		{"1.0", "1.0.0.0", "v1.0", "V1", "1.0.0+0"}, {"1.0.0+1"}, {"1.0.0+2"}, {"1.0.0+10"},
		{"1-patch1"}, {"1.2.3", "v1.2.3", "01.02.03"}, {"1.2.3pl1", "1.2.3-pl1"}, {"1.2.3-4"}, {"1.2.3a"},
		{"1.3.1-rc.1"}, {"1.3.1"}, {"1.9"}, {"v1.9.1"}, {"1.10.0", "v1.10"}, {"2.0.0-beta.3"}, {"2.0.0"}, {"2.9.5"}, {"2.10.14"}, {"3.8.0b1"}, {"3.8.0"}, {"5.9"}, {"5.10"},
		{"6.14.0"}, {"8.0.4"}, {"8.0.4.1"}, {"8.0.4a"}, {"8.0.4c"}, {"8.0.4za"}, {"8.0.5"},
		{"10.0.19045.3570"}, {"10.0.19045.10000"}, {"17.2.0"}, {"17.2.0.191"}, {"2021.12.14"}, {"2026"}, {"20261129"},
	},
	"semver": {
		{"0.0.0"}, {"1.0.0-1"}, {"1.0.0--1"}, {"1.0.0-alpha"}, {"1.0.0-alpha.1"}, {"1.0.0-alpha.beta"}, {"1.0.0-beta.2"}, {"1.0.0-beta.11"}, {"1.0.0-rc11"}, {"1.0.0-rc7"},
		{"1.0.0", "v1.0.0", "1.0.0+1", "1.0.0+2"}, {"1.2.3-4"}, {"1.2.3"}, {"2.9.5"}, {"2.10.14"}, {"99999999999999999999998.0.0"}, {"99999999999999999999999.0.0"},
	},
	"debian": {
		{"1.0~~"}, {"1.0~rc1"}, {"1.0", "1.0-0", "0:1.0", "1.00"}, {"1.0-rc1"}, {"1.0+b1"}, {"1.0.1"}, {"2.0"}, {"2.36-9+deb12u9"}, {"2.36-9+deb12u10"}, {"1:1.0"}, {"1:1.0-1-1"}, {"10:0"},
	},
	"rpm": {
		{"1.0~rc1"}, {"1.0"}, {"1.0-1~"}, {"1.0-1", "0:1.0-1"}, {"1.0-1.el9"}, {"1.0^git1-1"}, {"1.0a-1"}, {"1.0.1-1"}, {"1.10-1"}, {"1:0.9-1"},
	},
	"maven": {
		{"alpha"}, {"1-alpha-1", "1.0.alpha1", "1a1"}, {"1.0-beta1"}, {"1.0.M1", "1-milestone-1"}, {"1.0-RC1", "1.0.cr1"}, {"1.0-SNAPSHOT"},
		{"1", "1.0.0.Final", "1-ga", "1.0.RELEASE"}, {"1.0.sp1", "1-sp-1"}, {"1.0.SR1"}, {"1-1"}, {"1.1"}, {"1.1.1-b123"}, {"1.10"}, {"31.1-android"}, {"31.1-jre"}, {"20040616"},
	},
	"pypi": {
		{"1.0.dev1"}, {"1.0a1.dev1"}, {"1.0a1", "1.0-alpha1", "v1.0.0A1"}, {"1.0b2"}, {"1.0rc1", "1.0c1", "1.0.0-preview_1"}, {"1.0", "1.0.0"}, {"1.0+abc"}, {"1.0+5"}, {"1.0+5.1"},
		{"1.0.post1.dev2"}, {"1.0.post1", "1.0-1", "1.0-r1"}, {"1.1"}, {"1.10"}, {"2026.11"}, {"1!0.1"},
	},
	"nuget": {
		{"1.0.0-alpha"}, {"1.0.0-BETA", "1.0-beta"}, {"1.0", "1.0.0.0", "1.0.0+1"}, {"1.2.3-4"}, {"1.2.3"},
		{"10.0.19045.3570"}, {"10.0.19045.10000"}, {"17.2.0"}, {"17.2.0.191"},
	},
	"pub": {
		{"1.0.0-dev.1"}, {"1.0.0-dev.1+1"}, {"1.0.0-rc.2"}, {"1.0.0-rc.10"}, {"1.0.0"}, {"1.0.0+0"}, {"1.0.0+1"}, {"1.0.0+2"}, {"1.0.0+9"}, {"1.0.0+10", "1.0.0+010"}, {"1.0.0+10.1"}, {"1.0.0+a"}, {"1.0.1"},
	},
}

// Each scheme orders what its own tools order, as they do: a wrong order gives a fleet an older version.
func TestEachSchemeOrdersItsVersions(t *testing.T) {
	require.Equal(t, len(inOrder)+1, len(versions.Names()), "a scheme without a case; published has no order of its own")
	for scheme, ranks := range inOrder {
		t.Run(scheme, func(t *testing.T) { requireOrder(t, scheme, ranks) })
	}
}

// dpkg is what the scheme debian stands for. The file has real versions as dpkg --compare-versions sorts them, those
// that it calls equal on one line.
func TestDebianAgreesWithDpkg(t *testing.T) {
	file, err := os.Open("testdata/dpkg.txt")
	require.NoError(t, err)
	defer file.Close()
	var ranks [][]string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		ranks = append(ranks, strings.Fields(lines.Text()))
	}
	require.Greater(t, len(ranks), 250)
	requireOrder(t, "debian", ranks)
}

// requireOrder compares all pairs.
func requireOrder(t *testing.T, scheme string, ranks [][]string) {
	for i, lower := range ranks {
		for j, higher := range ranks {
			for _, a := range lower {
				for _, b := range higher {
					order, err := versions.Compare(scheme, a, b)
					if err != nil || order != cmp.Compare(i, j) {
						t.Errorf("%q, %q: got %d (%v), want %d", a, b, order, err, cmp.Compare(i, j))
					}
				}
			}
		}
	}
}

func TestNoSchemeNamedIsNatural(t *testing.T) {
	order, err := versions.Compare("", "1.0.0-rc11", "1.0.0-rc7")
	require.NoError(t, err)
	require.Equal(t, 1, order)
	require.NoError(t, check("", "latest"))
}

// What a scheme cannot order is refused in words that name the field and show a right one.
func TestVersionsThatASchemeCannotOrderAreRefused(t *testing.T) {
	for scheme, refused := range map[string][]string{
		"semver": {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3-a..b", "V1.2.3", "vv1.2.3", "1.2.3 ", "1.2.3-ü", "1.2.3\n"},
		"debian": {"", "latest", "1:", ":1", "-1:1", "1.0-", "1.0_1", "1:1:1", "1.0 1", "1.0-1\n", "v1.0"},
		"rpm":    {"", "1.0-", "-1", "1.0-1-1", "a:1.0", "1:0:1", "1.0/1"},
		"maven":  {"", "-1", ".1", "1.0 1", "${project.version}", "1.0\n"},
		"pypi":   {"", "1.0.po\u017ft1", "latest", "1.0-x", "1.0+", "1.0+a+b", "1..0", "1.0.*"},
		"nuget":  {"", "v1.0", "1.2.3.4.5", "1.", "1.0-", "a"},
		"pub":    {"", "1.0", "v1.0.0", "1.0.0+", "1.0.0+1+2", "1.0.0.0"},
	} {
		for _, versionNo := range refused {
			requireRefused(t, check(scheme, versionNo), "versionNo", "no version of the scheme "+scheme)
			_, err := versions.Compare(scheme, "x"+versionNo+"/", versionNo)
			requireRefused(t, err, "a", ", such as 1")
			requireRefused(t, err, "b", ", such as 1")
		}
	}
	requireRefused(t, check("semvar", "1"), "scheme", "must be one of natural, semver, debian, rpm, maven, pypi, nuget, pub, published")
	require.NoError(t, check("published", "9fceb02"))
	_, err := versions.Compare("published", "9fceb02", "9fceb03")
	requireRefused(t, err, "scheme", "name another scheme, such as natural")
}

// check holds a version number against a scheme, as for a record.
func check(scheme, versionNo string) error {
	return versions.CheckRecord(model.VersionDB{VersionNo: versionNo, Details: &model.Details{Scheme: scheme}})
}

func requireRefused(t *testing.T, err error, field, words string) {
	t.Helper()
	var refused *model.ValidationError
	require.ErrorAs(t, err, &refused)
	i := slices.IndexFunc(refused.Fields, func(f model.FieldError) bool { return f.Field == field })
	require.GreaterOrEqual(t, i, 0, "%s is not named in %v", field, refused.Fields)
	require.Contains(t, refused.Fields[i].Detail, words)
}

// Every order is one that sorting may rely on. Of so many random versions all pairs agree with one ranking of them, which
// holds only when no three of them, of millions, go round in a circle.
func TestEachOrderIsATotalPreorder(t *testing.T) {
	const pool = 150 // more than half a million triples
	for _, scheme := range versions.Names() {
		if scheme == versions.Published {
			continue
		}
		t.Run(scheme, func(t *testing.T) {
			found := randomVersions(scheme, pool)
			order := func(a, b string) int {
				result, err := versions.Compare(scheme, a, b)
				require.NoError(t, err)
				return result
			}
			slices.SortFunc(found, order)
			ranks := [][]string{{found[0]}}
			for i, next := range found[1:] {
				if order(found[i], next) == 0 {
					ranks[len(ranks)-1] = append(ranks[len(ranks)-1], next)
				} else {
					ranks = append(ranks, []string{next})
				}
			}
			require.Greater(t, len(ranks), pool/2, "too many of them are equal to prove anything")
			requireOrder(t, scheme, ranks)
		})
	}
}

// pieces are what versions are made of that have led libraries astray.
var pieces = strings.Fields(`0 0 1 1 2 9 10 01 00 19045 99999999999999999999 . . . . - - - + ~ ^ : ! _ .. a b c m v V r x z ab
	alpha beta milestone rc cr RC1 pre preview dev post rev patch pl sp SP1 snapshot final ga release Final SNAPSHOT deb12u git é 版 ~~ -1`)

// randomVersions returns different ones that a scheme takes, the same in every run.
func randomVersions(scheme string, count int) []string {
	random := rand.New(rand.NewPCG(uint64(count), 1))
	var found []string
	for seen := map[string]bool{}; len(found) < count; {
		text := []string{"", "", "1", "1.0", "1.0.0", "2.0.0"}[random.IntN(6)]
		for range random.IntN(7) {
			text += pieces[random.IntN(len(pieces))]
		}
		if !seen[text] && check(scheme, text) == nil {
			seen[text] = true
			found = append(found, text)
		}
	}
	return found
}
