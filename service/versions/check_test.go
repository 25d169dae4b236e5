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
			advice, err := versions.Rank(rolled(percent)).Advise("1.0.0", client)
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
			advice, err := versions.Rank(rolled(percent)).Advise("1.0.0", client)
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
	_, err := versions.Rank(mixed).Newest()
	requireRefused(t, err, "scheme", `semver for "a" and natural for "b"`)
	_, err = versions.Rank(mixed).Advise("1.0.0", "")
	requireRefused(t, err, "scheme", `semver for "a" and natural for "b"`)
	_, err = versions.Rank(mixed[:1]).Advise("one", "")
	requireRefused(t, err, "current", "no version of the scheme semver")

	old := []model.VersionDB{{ID: "a", VersionNo: "9", Revision: 9, Details: semver}, {ID: "b", VersionNo: "1.0.0", Revision: 1, Details: semver}}
	newest, err := versions.Rank(old).Newest()
	require.NoError(t, err)
	require.Equal(t, "b", newest.ID)
	_, err = versions.Rank(nil).Newest()
	require.ErrorIs(t, err, model.ErrNotFound)
}

// Of equal versions the one that was written last is the newest.
func TestEqualVersionsAreOrderedByTheirRevisions(t *testing.T) {
	newest, err := versions.Rank([]model.VersionDB{{ID: "a", VersionNo: "1.0", Revision: 2}, {ID: "b", VersionNo: "1.0.0", Revision: 3}, {ID: "c", VersionNo: "v1", Revision: 1}}).Newest()
	require.NoError(t, err)
	require.Equal(t, "b", newest.ID)
}

// Two records may have one version, as a stable and a beta channel have after a release: a client with it is at both.
func TestVersionsThatTwoRecordsHave(t *testing.T) {
	published := func(d model.Details) *model.Details { d.Scheme = versions.Published; return &d }
	none := uint8(0)
	for name, beta := range map[string]model.Details{"withdrawn": {Withdrawn: true}, "rolled out to nobody": {RolloutPercent: &none}, "the same": {}} {
		advice, err := versions.Rank([]model.VersionDB{
			{ID: "app", VersionNo: "9fceb02", Revision: 20, Details: published(model.Details{})},
			{ID: "app-beta", VersionNo: "9fceb02", Revision: 30, Details: published(beta)},
		}).Advise("9fceb02", "")
		require.NoError(t, err)
		require.Equal(t, versions.UpdateNone, advice.Update, "one of them is %s", name)
		require.False(t, advice.Ahead, name)
	}
}

// A record may be put back below the minimum that it keeps. Who has what it says now must not be told to take it again and again.
func TestAMinimumAboveTheNewestForcesNobodyWhoHasIt(t *testing.T) {
	ranked := versions.Rank([]model.VersionDB{{ID: "app", VersionNo: "1.1.0", Details: &model.Details{MinVersionNo: "1.2.0"}}})
	for current, want := range map[string]string{"1.0.0": versions.UpdateMandatory, "1.1.0": versions.UpdateNone, "1.1.5": versions.UpdateNone} {
		advice, err := ranked.Advise(current, "")
		require.NoError(t, err)
		require.Equal(t, want, advice.Update, current)
		require.False(t, advice.Supported, current)
		require.Equal(t, current == "1.1.5", advice.Ahead, current)
	}
}

// newer=true is a promise that nothing newer is lost. Where nobody can tell which is newer it is refused.
func TestNewerIsRefusedWhereNobodyCanTell(t *testing.T) {
	record := func(versionNo, scheme string) model.VersionDB {
		return model.VersionDB{ID: "app", VersionNo: versionNo, Details: &model.Details{Scheme: scheme}}
	}
	_, err := versions.ComesAfter(record("9fceb02", "published"), record("9fceb01", "published"))
	requireRefused(t, err, "newer", "does not go with the scheme published")
	_, err = versions.ComesAfter(record("1.0.0", "semver"), record("2.0", "natural"))
	requireRefused(t, err, "scheme", `of which "2.0", the version that the record has, is none`)
	for _, before := range []model.VersionDB{record("0.9.0", "natural"), record("2.0", "semver")} { // the latter's scheme reads nothing in it
		newer, err := versions.ComesAfter(record("1.0.0", "semver"), before)
		require.NoError(t, err)
		require.True(t, newer)
	}
}
