package versions

import (
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/semantic"
	"golang.org/x/mod/semver"
)

// The schemes that order anything.
const (
	// Natural is the scheme of whoever names none.
	Natural = "natural"
	// Published orders records by their revisions, whatever their version numbers are.
	Published = "published"
)

// scheme is one way to order version numbers.
type scheme struct {
	name string
	// grammar is what it can order, nil for anything; form says that in words, and example shows it.
	grammar       *regexp.Regexp
	form, example string
	// compare orders two that the grammar takes; nil where version numbers have no order.
	compare func(a, b string) (int, error)
}

// identifiers are the parts between dots of a pre-release or a build.
const identifiers = `[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*`

// schemes are in the order in which people read of them. The grammars are stricter than the library, which takes whatever
// it is given: a version that was meant for another scheme is to be refused, and on some of those its order has cycles.
var schemes = []scheme{
	{name: Natural, compare: func(a, b string) (int, error) { return compareNatural(a, b), nil }},
	{
		name:    "semver",
		grammar: regexp.MustCompile(`^v?(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-` + semverIdentifiers + `)?(\+` + identifiers + `)?$`),
		form:    "which has three numbers without leading zeros, and may go on with -pre.release and +build",
		example: "1.4.0-rc.1",
		compare: compareSemver,
	},
	{
		name:    "debian",
		grammar: regexp.MustCompile(`^(\d+:)?\d([0-9A-Za-z.+~-]*-[0-9A-Za-z.+~]+|[0-9A-Za-z.+~]*)$`),
		form:    "which is [epoch:]upstream[-revision] with an upstream version that begins with a digit",
		example: "1:2.36-9+deb12u10",
		compare: by("Debian"),
	},
	{
		name:    "rpm",
		grammar: regexp.MustCompile(`^(\d+:)?[0-9A-Za-z._+~^]+(-[0-9A-Za-z._+~^]+)?$`),
		form:    "which is [epoch:]version[-release] of letters, digits and ._+~^",
		example: "1:2.36-9.el9",
		compare: by("Red Hat"),
	},
	{
		name:    "maven",
		grammar: regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`),
		form:    "which has letters, digits and ._+- and begins with one of the first two",
		example: "1.4.0-RC1",
		compare: compareMaven,
	},
	{
		name:    "pypi",
		grammar: regexp.MustCompile(`(?i)^v?(\d+!)?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?$`),
		form:    "which is as PEP 440 has it",
		example: "1.4.0rc1",
		compare: by("PyPI"),
	},
	{
		name:    "nuget",
		grammar: regexp.MustCompile(`^\d+(\.\d+){0,3}(-` + identifiers + `)?(\+` + identifiers + `)?$`),
		form:    "which has one to four numbers, and may go on with -pre.release and +build",
		example: "10.0.19045.3570",
		compare: by("NuGet"),
	},
	{
		name:    "pub",
		grammar: regexp.MustCompile(`^\d+\.\d+\.\d+(-` + identifiers + `)?(\+` + identifiers + `)?$`),
		form:    "which has three numbers, and may go on with -pre.release and +build",
		example: "1.4.0+12",
		compare: comparePub,
	},
	{name: Published},
}

// semverIdentifiers have no leading zeros where they are numbers.
const semverIdentifiers = `(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*`

// by compares as an ecosystem does.
func by(ecosystem string) func(a, b string) (int, error) {
	return func(a, b string) (int, error) {
		version, err := semantic.Parse(a, ecosystem)
		if err != nil {
			return 0, err
		}
		return version.CompareStr(b)
	}
}

// compareSemver is not the other library's, which takes the -1 of 1.0.0-a.-1 for a number.
func compareSemver(a, b string) (int, error) {
	return semver.Compare("v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v")), nil
}

var mavenQualifier = regexp.MustCompile(`\.([^0-9.-])`)

// compareMaven takes .X for -X where X is a word, as Maven 3.9.2 does. The library does not: 1.0.sp1 comes before
// 1.0-alpha there, which comes before 1.0, which comes before 1.0.sp1.
func compareMaven(a, b string) (int, error) {
	return by("Maven")(mavenQualifier.ReplaceAllString(a, "-$1"), mavenQualifier.ReplaceAllString(b, "-$1"))
}

// comparePub compares numbers of builds as numbers, as Dart does, and any build comes after none. The library would put +10 before +9.
func comparePub(a, b string) (int, error) {
	a, aBuild, aBuilt := strings.Cut(a, "+")
	b, bBuild, bBuilt := strings.Cut(b, "+")
	order, err := by("Pub")(a, b)
	if order != 0 || err != nil {
		return order, err
	}
	return by("Pub")(asPreRelease(aBuild, aBuilt), asPreRelease(bBuild, bBuilt))
}

// asPreRelease makes the parts of a build such of a pre-release, of which more come after fewer.
func asPreRelease(build string, built bool) string {
	if !built {
		return "0.0.0-build"
	}
	return "0.0.0-build." + build
}
