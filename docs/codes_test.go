package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/contract"
)

// TestCodesAreListed breaks when the table of errors of a language lacks a code that an answer may have.
func TestCodesAreListed(t *testing.T) {
	codes := contract.Load().Components.Schemas["Code"].Value.Enum
	require.NotEmpty(t, codes)
	row := regexp.MustCompile(`(?m)^\| [45]\d\d[^|]* \|[^|]*\|`) // the status and the codes
	for _, page := range manual[1] {
		rows := strings.Join(row.FindAllString(mustRead(t, page), -1), "\n")
		for _, code := range codes {
			require.Contains(t, rows, "`"+code.(string)+"`", page)
		}
	}
}
