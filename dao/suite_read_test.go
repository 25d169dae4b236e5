package dao_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// testMissing breaks when a new or dropped database looks like one that does not answer: the applier
// would wait for ever instead of building it.
func (s *store) testMissing(t *testing.T) {
	_, err := s.State(t.Context())
	require.ErrorIs(t, err, model.ErrNoState)
	require.NotErrorIs(t, err, model.ErrStoreUnavailable)

	require.NoError(t, s.EnsureSchema(t.Context()))
	_, err = s.State(t.Context())
	require.ErrorIs(t, err, model.ErrNoState, "tables without a state row")

	require.NoError(t, s.drop(t.Context()))
	_, err = s.State(t.Context())
	require.ErrorIs(t, err, model.ErrNoState)
	_, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, model.ErrStoreUnavailable, "a record must not seem to be missing")
	_, err = s.Page(t.Context(), model.ListOptions{Limit: 1})
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
}

// testSchemaAndState breaks when making the schema again loses something.
func (s *store) testSchemaAndState(t *testing.T) {
	s.mustCreate(t)
	require.NoError(t, s.Ping(t.Context()))
	require.Equal(t, s.stateOf(t, model.StoreState{Identity: identity, Checksum: checksum}), s.mustState(t))

	s.mustApply(t, []model.Version{version("a", 1)})
	require.NoError(t, s.EnsureSchema(t.Context()))
	require.Equal(t, []string{"a"}, s.mustIDs(t))
	require.Equal(t, identity, s.mustState(t).Identity)
}

// testIDs breaks when a database folds case, pads blanks, normalises Unicode or turns text into
// numbers: two records would become one on some nodes.
func (s *store) testIDs(t *testing.T) {
	s.mustCreate(t)
	ids := []string{
		"a", "A", "a ", " a", "a  ", "ä", "a\u0308", "ß", "ss", "1", "1.0", "01", "1e0", "0x1", "+1", "é", "e", "NULL",
		"\U0001F600", "\U0001F601", `'`, `"`, `\`, `\'`, "`", "%", "_", "?", "@a", ":a", strings.Repeat("x", 128), strings.Repeat("x", 127),
		"~", "\u00a0", "\u07ff", "\u0800", "\u200b", "\uff5e", "\uffff", "\U00010000", "\U0010ffff", strings.Repeat("\U0010ffff", 32), // UTF-16 has another order
		"/", "a/", "a/b", "a//b", "@scope/pkg", "\u00c5", "\u212b", "A\u030a", "ﬁ", "fi", "ı", "i", "İ", "I", "ς", "σ", "Σ", "ǆ", "ア", "ｱ", "あ", "a\u00a0", "\ud7ff", "a\ud7ffb", "\ue000", "\U0010ffff\U0010ffff", "a\U0010ffff", "a\U0010ffffb", "b", "a-", "a!", "aa", "a\u0301",
	}
	versions := make([]model.Version, len(ids))
	for i, id := range ids {
		word := id
		if len([]rune(id)) > 64 {
			word = id[64:] // as long as one may be
		}
		versions[i] = model.Version{ID: id, VersionNo: word, Platform: word, Revision: uint64(i + 1)}
	}
	s.mustApply(t, versions)

	for _, want := range versions {
		got, err := s.Get(t.Context(), want.ID)
		require.NoError(t, err, "%q", want.ID)
		require.Equal(t, want, got)
		page, err := s.Page(t.Context(), model.ListOptions{Platform: want.Platform, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []model.Version{want}, page)
	}
	slices.Sort(ids)
	require.Equal(t, ids, s.mustIDs(t), "the order must be that of the bytes")
	s.requirePrefixes(t, ids)

	for _, id := range []string{"", "B", "a   ", "1.00", "\U0001F602"} {
		_, err := s.Get(t.Context(), id)
		require.ErrorIs(t, err, model.ErrNotFound, "%q", id)
	}
	s.mustApply(t, nil, "a ", "01")
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "a " || id == "01" })
	require.Equal(t, ids, s.mustIDs(t))
}

// requirePrefixes asks for every beginning of every id, from the first page on and from the middle.
func (s *store) requirePrefixes(t *testing.T, ids []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range ids {
		for end := range id + "." {
			prefix := id[:end]
			if seen[prefix] || end > 4 && end < len(id) {
				continue
			}
			seen[prefix] = true
			want := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !strings.HasPrefix(id, prefix) })
			for _, after := range []string{"", want[len(want)/2]} {
				page, err := s.Page(t.Context(), model.ListOptions{Prefix: prefix, After: after, Limit: len(ids)})
				require.NoError(t, err)
				rest := slices.DeleteFunc(append([]string{}, want...), func(id string) bool { return id <= after })
				require.Equal(t, rest, append([]string{}, idsOf(page)...), "%q after %q", prefix, after)
			}
		}
	}
	require.Greater(t, len(seen), 90)
}

// testPage breaks when a page skips or repeats a record, or lets one of another platform through.
func (s *store) testPage(t *testing.T) {
	s.mustCreate(t)
	page, err := s.Page(t.Context(), model.ListOptions{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, page)

	versions := make([]model.Version, 0, 26)
	for c := 'a'; c <= 'z'; c++ {
		v := version(string(c), uint64(c))
		if c%3 == 0 {
			v.Platform = "Linux"
		}
		versions = append(versions, v)
	}
	s.mustApply(t, versions)
	require.Equal(t, versions, s.mustPages(t, "", 5))
	require.Equal(t, versions, s.mustPages(t, "", 26))

	capital := slices.DeleteFunc(slices.Clone(versions), func(v model.Version) bool { return v.Platform != "Linux" })
	require.Equal(t, capital, s.mustPages(t, "Linux", 2))
	require.Empty(t, s.mustPages(t, "LINUX", 2))

	both := model.ListOptions{Platform: "Linux", Prefix: "l", Limit: 2} // l is one of every third
	page, err = s.Page(t.Context(), both)
	require.NoError(t, err)
	require.Equal(t, []string{"l"}, idsOf(page))
	both.Prefix, both.After = "m", "z"
	page, err = s.Page(t.Context(), both)
	require.NoError(t, err)
	require.Empty(t, page)
}

func (s *store) mustPages(t *testing.T, platform string, limit int) []model.Version {
	t.Helper()
	var all []model.Version
	for {
		page, err := s.Page(t.Context(), model.ListOptions{Platform: platform, After: last(idsOf(all)), Limit: limit})
		require.NoError(t, err)
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
	}
}

// testForEachVersion breaks when the revision index would start with a record missing or wrong.
func (s *store) testForEachVersion(t *testing.T) {
	s.mustCreate(t)
	versions := manyVersions(2500)
	s.mustApply(t, versions)

	got := map[string]model.Version{}
	require.NoError(t, s.ForEachVersion(t.Context(), func(v model.Version) error {
		got[v.ID] = v
		return nil
	}))
	require.Len(t, got, len(versions))
	for _, v := range versions {
		require.Equal(t, v, got[v.ID])
	}

	stop, calls := errors.New("stop"), 0
	err := s.ForEachVersion(t.Context(), func(model.Version) error { calls++; return stop })
	require.Equal(t, stop, err, "an error of the callback comes back as it is")
	require.Equal(t, 1, calls)
}

// testContext breaks when a client that goes away looks like a failing database.
func (s *store) testContext(t *testing.T) {
	s.mustCreate(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, model.ErrStoreUnavailable)

	ctx, cancel = context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err = s.Page(ctx, model.ListOptions{Limit: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, model.ErrStoreUnavailable)
}
