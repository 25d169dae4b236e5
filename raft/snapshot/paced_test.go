package snapshot

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// thinView returns one record a page, at once.
type thinView struct{ View }

const thinRecords = 50

func (thinView) Page(_ context.Context, after string, _ int) ([]model.Version, error) {
	var before int
	if after != "" {
		if _, err := fmt.Sscanf(after, "id-%d", &before); err != nil {
			return nil, err
		}
	}
	if before == thinRecords {
		return nil, nil
	}
	return []model.Version{{ID: fmt.Sprintf("id-%03d", before+1), VersionNo: "1", Platform: "linux", Revision: uint64(before + 1)}}, nil
}

// DedupRecords returns one a page too.
func (thinView) DedupRecords(_ context.Context, after uint64, _ int) ([]model.DedupRecord, error) {
	list := someDedupRecords(thinRecords)
	if int(model.IndexOf(after)) == len(list) {
		return nil, nil
	}
	return list[model.IndexOf(after) : model.IndexOf(after)+1], nil
}

// ChangesFrom and ChangesAfter do so with changes.
func (thinView) ChangesFrom() uint64 { return 1 }

func (thinView) ChangesAfter(_ context.Context, revision uint64, _ int) ([]model.Change, error) {
	list := someChanges(thinRecords)
	if int(model.IndexOf(revision)) == len(list) {
		return nil, nil
	}
	return list[model.IndexOf(revision) : model.IndexOf(revision)+1], nil
}

// A snapshot that takes all it can get makes writes wait for the machine; the pages of one must lie
// apart, and its records be the same.
func TestSnapshotRestsBetweenPages(t *testing.T) {
	var paced, unpaced bytes.Buffer
	began := time.Now()
	require.NoError(t, Write(t.Context(), &paced, &pacedView{View: thinView{}}))
	require.GreaterOrEqual(t, time.Since(began), 2*thinRecords*viewPauseMin)
	require.NoError(t, Write(t.Context(), &unpaced, thinView{}))
	require.Equal(t, unpaced.Bytes(), paced.Bytes())
}

// Pauses follow the work, so that a machine that is slow for being busy gets longer ones, and are
// bounded, so that the view does not stay open for ever.
func TestViewPause(t *testing.T) {
	require.Equal(t, viewPauseMin, viewPause(0))
	require.Equal(t, 3*time.Millisecond*viewPauseShare, viewPause(3*time.Millisecond))
	require.Equal(t, viewPauseMax, viewPause(time.Minute))
}

// A pause that outlived its context would hold up the end of the node.
func TestPausedViewEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	view := &pacedView{View: &listView{}}
	_, err := view.Page(ctx, "", 1)
	require.NoError(t, err)
	cancel()
	_, err = view.Page(ctx, "", 1)
	require.ErrorIs(t, err, context.Canceled)
}
