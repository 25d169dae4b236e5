package model_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	require.ErrorIs(t, err, model.ErrInvalid)
	var invalid *model.ValidationError
	require.ErrorAs(t, err, &invalid)
	var fields []string
	for _, each := range invalid.Fields {
		require.NotEmpty(t, each.Detail)
		require.NotContains(t, each.Detail, "breaks the rule", "a rule without words for users")
		fields = append(fields, each.Field)
	}
	return fields
}

// A text that one node takes and another refuses would make nodes differ: each bound has a case on
// both sides.
func TestValidateRecord(t *testing.T) {
	for name, c := range map[string]struct {
		record model.VersionDB
		fields []string
	}{
		"good":                 {model.VersionDB{ID: "libstdc++6", VersionNo: "14.2 (rc)", Platform: "linux/amd64"}, nil},
		"longest":              {model.VersionDB{ID: strings.Repeat("a", 128), VersionNo: strings.Repeat("é", 64), Platform: strings.Repeat("😀", 64)}, nil},
		"longest id in UTF-8":  {model.VersionDB{ID: strings.Repeat("é", 64), VersionNo: "1", Platform: "p"}, nil},
		"dots in the id":       {model.VersionDB{ID: "...", VersionNo: ".", Platform: ".."}, nil},
		"replacement rune":     {model.VersionDB{ID: "\uFFFD", VersionNo: "1", Platform: "p"}, nil},
		"any revision":         {model.VersionDB{ID: "a", VersionNo: "1", Platform: "p", Revision: 5}, nil},
		"nothing":              {model.VersionDB{}, []string{"id", "versionNo", "platform"}},
		"a byte too long":      {model.VersionDB{ID: strings.Repeat("a", 129), VersionNo: "1", Platform: "p"}, []string{"id"}},
		"a character too long": {model.VersionDB{ID: "a", VersionNo: strings.Repeat("1", 65), Platform: strings.Repeat("é", 65)}, []string{"versionNo", "platform"}},
		"blanks":               {model.VersionDB{ID: " ", VersionNo: "1 ", Platform: "\u3000p"}, []string{"id", "versionNo", "platform"}},
		"control characters":   {model.VersionDB{ID: "a\x00", VersionNo: "1\x7f2", Platform: "p\u0085q"}, []string{"id", "versionNo", "platform"}},
		"not UTF-8":            {model.VersionDB{ID: "a\xff", VersionNo: "\xc3(", Platform: "\xed\xa0\x80"}, []string{"id", "versionNo", "platform"}},
		"slashes":              {model.VersionDB{ID: "/@scope/pkg//", VersionNo: "1", Platform: "p"}, nil},
		"a slash alone":        {model.VersionDB{ID: "/", VersionNo: "1", Platform: "p"}, nil},
		"dots between slashes": {model.VersionDB{ID: "a/.../..b/c.", VersionNo: "1", Platform: "p"}, nil},
		"a dot between":        {model.VersionDB{ID: "a/./b", VersionNo: "1", Platform: "p"}, []string{"id"}},
		"two dots before":      {model.VersionDB{ID: "../a", VersionNo: "1", Platform: "p"}, []string{"id"}},
		"two dots behind":      {model.VersionDB{ID: "a/..", VersionNo: "1", Platform: "p"}, []string{"id"}},
		"dot":                  {model.VersionDB{ID: ".", VersionNo: "1", Platform: "p"}, []string{"id"}},
		"two dots":             {model.VersionDB{ID: "..", VersionNo: "1", Platform: "p"}, []string{"id"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.ElementsMatch(t, c.fields, fieldsOf(t, model.ValidateRecord(c.record)))
		})
	}
}

// An id that a record may have can be asked for, and no other.
func TestValidateIDAgreesWithValidateRecord(t *testing.T) {
	for _, id := range []string{"", "a", " a", "a/b", "a/../b", ".", "..", "a\n", "a\xff", strings.Repeat("a", 128), strings.Repeat("a", 129)} {
		record := model.VersionDB{ID: id, VersionNo: "1", Platform: "p"}
		require.Equal(t, fieldsOf(t, model.ValidateRecord(record)), fieldsOf(t, model.ValidateID(id)), "%q", id)
	}
}

func TestValidateText(t *testing.T) {
	require.NoError(t, model.ValidateText("platform", "linux/amd64"))
	require.Equal(t, []string{"platform"}, fieldsOf(t, model.ValidateText("platform", "linux ")))
}

func BenchmarkValidateRecord(b *testing.B) {
	record := model.VersionDB{ID: "libstdc++6", VersionNo: "14.2.0-19", Platform: "linux/amd64"}
	b.ReportAllocs()
	for b.Loop() {
		_ = model.ValidateRecord(record)
	}
}
