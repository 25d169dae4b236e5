package controller

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A record looks the same whichever way it was written.
func TestRecordJSON(t *testing.T) {
	for _, text := range []string{"app", "", "a b", `"`, `\`, "<b>&", "ä", "\x7f", "\x1f", "\u2028", "\xff", "~ !/+%"} {
		for _, record := range []model.VersionDB{
			{ID: text, VersionNo: "1", Platform: "p", Revision: 1},
			{ID: "a", VersionNo: text, Platform: "p", Revision: 1<<53 - 1},
			{ID: "a", VersionNo: "1", Platform: text, Revision: 4096},
			{ID: "a", VersionNo: "1", Platform: text},
		} {
			want, err := json.Marshal(record)
			require.NoError(t, err)
			require.Equal(t, string(want), string(recordJSON(record)))
		}
	}
}
