package chaos_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/chaos"
	"versiond/test/load/measure"
)

// reliability is the document that says what is promised, and what the last long runs found.
const reliability = "../../docs/reliability.md"

// document puts what a run found into the document when REPORT is set, unless it tried some faults only.
func document(t *testing.T, report *chaos.Report) {
	t.Helper()
	if os.Getenv("REPORT") == "" {
		return
	}
	require.Empty(t, os.Getenv("FAULT"), "a report of some faults alone would look like all")
	require.True(t, long(), "a report takes a DURATION")
	machine, err := measure.Describe(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, measure.ReplaceSection(reliability, section(report.Mode), report.Markdown(machine)))
}

func section(mode chaos.Mode) string { return "chaos-" + string(mode) }

// TestDocumentHasEveryFault breaks when the document promises something else than is tried, or lacks the
// place where a run puts its table. With REPORT=1 it writes the promises.
func TestDocumentHasEveryFault(t *testing.T) {
	if os.Getenv("REPORT") != "" {
		require.NoError(t, measure.ReplaceSection(reliability, "promises", chaos.Promises(chaos.All())))
	}
	text, err := os.ReadFile(reliability)
	require.NoError(t, err)
	aside := filepath.Join(t.TempDir(), "reliability.md")
	require.NoError(t, os.WriteFile(aside, text, 0o600))
	require.NoError(t, measure.ReplaceSection(aside, "promises", chaos.Promises(chaos.All())))
	wanted, err := os.ReadFile(aside)
	require.NoError(t, err)
	require.Equal(t, string(wanted), string(text), "run: REPORT=1 go test -run TestDocumentHasEveryFault ./test/chaos")
	for _, mode := range []chaos.Mode{chaos.Embedded, chaos.MySQL} {
		require.NoError(t, measure.ReplaceSection(aside, section(mode), ""))
	}
}
