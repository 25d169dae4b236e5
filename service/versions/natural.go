package versions

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// What a token is, from the lowest to the highest. A version that has ended goes on with zeros for ever, so that a
// pre-release comes before it, and all else after.
const (
	preRelease = iota
	zero
	postRelease
	number
	letterSuffix
)

// token is a number or a word.
type token struct {
	kind int
	// text is in lower case; that of a number has no leading zeros.
	text string
}

// compareNatural orders any two texts: token by token, and on a tie by what stands behind the first +. Texts become
// sequences that have the order of their tokens, so this is a total preorder.
func compareNatural(a, b string) int {
	a, aBuild, _ := strings.Cut(a, "+")
	b, bBuild, _ := strings.Cut(b, "+")
	return cmp.Or(compareTokens(tokensOf(a), tokensOf(b)), compareTokens(tokensOf(aBuild), tokensOf(bBuild)))
}

func compareTokens(a, b []token) int {
	for i := range max(len(a), len(b)) {
		if order := tokenAt(a, i).compare(tokenAt(b, i)); order != 0 {
			return order
		}
	}
	return 0
}

func tokenAt(tokens []token, i int) token {
	if i < len(tokens) {
		return tokens[i]
	}
	return token{kind: zero}
}

// compare orders numbers by their length first: they have no leading zeros.
func (t token) compare(other token) int {
	if t.kind == number && other.kind == number && len(t.text) != len(other.text) {
		return cmp.Compare(len(t.text), len(other.text))
	}
	return cmp.Or(cmp.Compare(t.kind, other.kind), strings.Compare(t.text, other.text))
}

// tokensOf splits a text into runs of digits and runs of letters; everything else separates. Zeros before a pre-release go:
// 1.0-rc.1 is 1.0.0-rc.1.
func tokensOf(text string) []token {
	var tokens []token
	runes := []rune(text)
	for i := 0; i < len(runes); {
		end := i + runLength(runes[i:])
		if next, ok := tokenOf(runes, i, end); ok {
			if next.kind == preRelease {
				tokens = withoutZeros(tokens)
			}
			tokens = append(tokens, next)
		}
		i = end
	}
	return tokens
}

func withoutZeros(tokens []token) []token {
	for len(tokens) > 0 && tokens[len(tokens)-1].kind == zero {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// runLength is how many runes go together from the first on.
func runLength(runes []rune) int {
	kind := func(r rune) [2]bool { return [2]bool{isDigit(r), unicode.IsLetter(r)} }
	if end := slices.IndexFunc(runes, func(r rune) bool { return kind(r) != kind(runes[0]) }); end >= 0 {
		return end
	}
	return len(runes)
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// tokenOf reads one run. A separator is no token, nor is the v of v1.2.
func tokenOf(runes []rune, begin, end int) (token, bool) {
	text := strings.ToLower(string(runes[begin:end]))
	beforeDigit := end < len(runes) && isDigit(runes[end])
	afterDigit := begin > 0 && isDigit(runes[begin-1])
	switch {
	case isDigit(runes[begin]):
		return numberToken(text), true
	case !unicode.IsLetter(runes[begin]), text == "v" && beforeDigit:
		return token{}, false
	}
	return wordToken(text, end-begin <= 2 && afterDigit && !beforeDigit), true
}

func numberToken(digits string) token {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return token{kind: zero}
	}
	return token{kind: number, text: digits}
}

// wordToken takes a word that it does not know for a pre-release, unless it may be a suffix as in 8.0.4a.
func wordToken(word string, mayBeSuffix bool) token {
	switch word {
	case "patch", "post", "pl", "sp":
		return token{postRelease, word}
	case "rc", "cr":
		return token{preRelease, "rc"}
	}
	if mayBeSuffix {
		return token{letterSuffix, word}
	}
	switch word {
	case "a":
		word = "alpha"
	case "b":
		word = "beta"
	case "c":
		word = "rc"
	}
	return token{preRelease, word}
}
