package service

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/servers"
)

// An administrator may have given a database server any defaults. A node on it must do all that it does on
// another: if this fails, backups are refused and the records are never checked, with every check green.
func TestNodeOnServerOfOtherDefaults(t *testing.T) {
	t.Parallel()
	server := servers.MariaDB(t)
	require.NoError(t, server.TurnDefaults(t.Context()))
	n := nodeOptions{store: mustMySQL(t, server)}.mustLead(t)
	for _, id := range []string{"a", "b", "c"} {
		n.mustAdd(t, id, "1")
	}
	file := n.mustBackup(t)
	n.mustAdd(t, "d", "1")
	require.NoError(t, n.ReLoadCacheDataInternal(t.Context()), "the records could not be checked")
	_, err := n.restore(t, file, false)
	require.NoError(t, err)
	page, _, err := n.ListVersions(t.Context(), model.ListOptions{Limit: 10}, model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	n.mustBeReady(t)
}
