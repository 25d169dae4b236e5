package snapshot

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func receive(t *testing.T, view View) (*Backup, error) {
	t.Helper()
	var file bytes.Buffer
	require.NoError(t, WriteBackup(t.Context(), &file, BackupHeader{Cluster: "c"}, view))
	b, err := Receive(t.Context(), t.TempDir(), &file)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, b.Close()) })
	}
	return b, err
}

// A backup whose changes no node has written, or more than one keeps, would break the history of every node, or take its memory.
func TestChangesOfABackupAreChecked(t *testing.T) {
	whole := changesView(7)
	b, err := receive(t, whole)
	require.NoError(t, err)
	require.EqualValues(t, 1, b.Records)
	require.Equal(t, whole.changes[6].Revision, b.Highest, "its changes must not be of this cluster's future")

	many := changesView(0)
	many.changes = make([]model.Change, model.ChangesMax+1)
	for i := range many.changes {
		many.changes[i] = model.Change{Revision: uint64(i + 1), Op: model.ChangeDelete, ID: "a", Platform: "ios"}
	}
	_, err = receive(t, many)
	require.ErrorContains(t, err, "more than 200000 changes")
	for name, change := range map[string]func(c *model.Change){
		"no revision":   func(c *model.Change) { c.Revision = 0 },
		"out of order":  func(c *model.Change) { c.Revision = whole.changes[0].Revision },
		"no id":         func(c *model.Change) { c.ID = "" },
		"no version":    func(c *model.Change) { c.VersionNo = "" },
		"bad platform":  func(c *model.Change) { c.Platform = " " },
		"bad was":       func(c *model.Change) { c.WasPlatform = "\n" },
		"at no moment":  func(c *model.Change) { c.At = 1 << 60 },
		"a name no one": func(c *model.Change) { c.By = "\xff" },
	} {
		view := changesView(2)
		change(&view.changes[1])
		_, err := receive(t, &inOrder{listView: view})
		require.ErrorIs(t, err, model.ErrInvalid, name)
	}
}

// A disk that does not take a backup is the operator's to mend, in words that say where, and no fault of who sends it.
func TestABackupThatTheDiskDoesNotTake(t *testing.T) {
	there := t.TempDir()
	gone, readOnly := filepath.Join(there, "gone"), filepath.Join(there, "read-only")
	_, errMade := Receive(t.Context(), gone, strings.NewReader("a backup"))
	require.NoError(t, os.WriteFile(readOnly, nil, 0o600))
	file, err := os.Open(readOnly)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	errWritten := (&Backup{file: file}).receive(t.Context(), strings.NewReader("a backup"))
	for folder, err := range map[string]error{gone: errMade, there: errWritten} {
		require.ErrorIs(t, err, model.ErrStoreUnavailable)
		require.ErrorContains(t, err, "data directory, "+folder+", ")
		require.ErrorContains(t, err, "make room")
		require.NotErrorIs(t, err, model.ErrInvalid)
	}
}

// inOrder returns all changes on one page, whatever their order.
type inOrder struct {
	*listView
	given bool
}

func (v *inOrder) ChangesAfter(context.Context, uint64, int) ([]model.Change, error) {
	if v.given {
		return nil, nil
	}
	v.given = true
	return v.changes, nil
}
