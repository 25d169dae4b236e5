package versions_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/service/versions"
)

func rolled(percent uint8) []model.VersionDB {
	return []model.VersionDB{
		{ID: "app", VersionNo: "2.0.0", Platform: "ios", Revision: 2, Details: &model.Details{RolloutPercent: &percent}},
		{ID: "app-before", VersionNo: "1.0.0", Platform: "ios", Revision: 1},
	}
}

// A rollout reaches about as many clients as it says, and whoever was in it stays in it while it grows.
func TestRolloutGrowsAndNobodyFallsOut(t *testing.T) {
	const clients = 10_000
	in := map[string]bool{}
	for _, percent := range []uint8{0, 1, 10, 25, 50, 99, 100} {
		reached := 0
		for i := range clients {
			client := fmt.Sprint("client-", i)
			advice, err := versions.Advise(rolled(percent), "1.0.0", client)
			require.NoError(t, err)
			has := advice.Latest.VersionNo == "2.0.0"
			require.True(t, has || !in[client], "%s fell out at %d percent", client, percent)
			if in[client] = has; has {
				reached++
			}
		}
		require.InDelta(t, clients*int(percent)/100, reached, clients*0.015, "%d percent", percent)
	}
}

// Where a client is can never change: these were told so by the first release.
func TestRolloutBucketsAreForEver(t *testing.T) {
	got := map[string]string{}
	for _, client := range []string{"a", "b", "6f1c2d0e-9a55-4a57-8a0f-0c7f6f3f5b11"} {
		for percent := range uint8(101) {
			advice, err := versions.Advise(rolled(percent), "1.0.0", client)
			require.NoError(t, err)
			if advice.Latest.VersionNo == "2.0.0" {
				got[client] = fmt.Sprint(percent)
				break
			}
		}
	}
	require.Equal(t, map[string]string{"a": "99", "b": "71", "6f1c2d0e-9a55-4a57-8a0f-0c7f6f3f5b11": "26"}, got)
}

// Candidates that nobody can compare are refused in words, and one that its scheme cannot order stands behind all others.
func TestCandidatesThatCannotBeOrdered(t *testing.T) {
	semver := &model.Details{Scheme: "semver"}
	mixed := []model.VersionDB{{ID: "a", VersionNo: "1.0.0", Details: semver}, {ID: "b", VersionNo: "1.0.0"}}
	_, err := versions.Newest(mixed)
	requireRefused(t, err, "scheme", `semver for "a" and natural for "b"`)
	_, err = versions.Advise(mixed, "1.0.0", "")
	requireRefused(t, err, "scheme", `semver for "a" and natural for "b"`)
	_, err = versions.Advise(mixed[:1], "one", "")
	requireRefused(t, err, "current", "no version of the scheme semver")

	old := []model.VersionDB{{ID: "a", VersionNo: "9", Revision: 9, Details: semver}, {ID: "b", VersionNo: "1.0.0", Revision: 1, Details: semver}}
	newest, err := versions.Newest(old)
	require.NoError(t, err)
	require.Equal(t, "b", newest.ID)
	_, err = versions.Newest(nil)
	require.ErrorIs(t, err, model.ErrNotFound)
}

// Of equal versions the one that was written last is the newest.
func TestEqualVersionsAreOrderedByTheirRevisions(t *testing.T) {
	newest, err := versions.Newest([]model.VersionDB{{ID: "a", VersionNo: "1.0", Revision: 2}, {ID: "b", VersionNo: "1.0.0", Revision: 3}, {ID: "c", VersionNo: "v1", Revision: 1}})
	require.NoError(t, err)
	require.Equal(t, "b", newest.ID)
}

// Two records may have one version, as a stable and a beta channel have after a release: a client with it is at both.
func TestVersionsThatTwoRecordsHave(t *testing.T) {
	published := func(d model.Details) *model.Details { d.Scheme = versions.Published; return &d }
	none := uint8(0)
	for name, beta := range map[string]model.Details{"withdrawn": {Withdrawn: true}, "rolled out to nobody": {RolloutPercent: &none}, "the same": {}} {
		advice, err := versions.Advise([]model.VersionDB{
			{ID: "app", VersionNo: "9fceb02", Revision: 20, Details: published(model.Details{})},
			{ID: "app-beta", VersionNo: "9fceb02", Revision: 30, Details: published(beta)},
		}, "9fceb02", "")
		require.NoError(t, err)
		require.Equal(t, versions.UpdateNone, advice.Update, "one of them is %s", name)
		require.False(t, advice.Ahead, name)
	}
}
