package integrity

import (
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// A store that is found wrong is taken out of use at once and reported once, reads that are under way included. What is
// known of it from before it was replaced would have it built anew for nothing, and so would a read that met a database
// that does not answer.
func TestAWrongStoreIsTakenOutOfUseOnce(t *testing.T) {
	var diverged []string
	trust := NewTrust(func(foundBy string) { diverged = append(diverged, foundBy) }, slog.New(slog.NewTextHandler(io.Discard, nil)))
	wrong := fmt.Errorf("%w: a row", model.ErrStoreDiffers)

	gen := trust.Gen()
	trust.Replaced()
	trust.FoundByRead(gen, wrong)
	trust.FoundByRead(trust.Gen(), model.ErrStoreUnavailable)
	require.NoError(t, trust.Err())
	require.Empty(t, trust.quarantined)

	gen = trust.Gen()
	trust.FoundByRead(gen, wrong)
	require.ErrorIs(t, trust.Err(), model.ErrStoreDiffers)
	require.NotEqual(t, gen, trust.Gen(), "a read that is under way counts")
	trust.foundInForm(trust.Gen(), model.ErrNoState)
	require.Equal(t, []string{foundByRead}, diverged)
	require.Len(t, trust.quarantined, 1)
}
