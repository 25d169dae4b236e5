package chaos

import (
	"fmt"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"
)

// restoreTimeout is for a restore of all changes that may be kept, on three nodes of one machine.
const restoreTimeout = 50 * time.Second

// backupFaults are no faults either, but replace all that there is by itself.
func backupFaults() []Fault {
	return []Fault{{
		Name: "a backup taken from one node and restored on another, three times", LeastDuring: 60, Lasts: meanwhile,
		Promise: "The records and their histories are those of the backup. Watchers are told that they may have missed something, and go on from there.",
		Inject: func(r *Round) func() {
			for range 3 {
				r.Idle(func() { restoreBackup(r) })
				r.Hold(meanwhile)
			}
			return func() {}
		},
	}}
}

// restoreBackup needs nobody to write: the restore would undo that.
func restoreBackup(r *Round) {
	r.TB.Helper()
	from, to := r.Node(), r.Node()
	status, file, err := from.Client.Within(restoreTimeout).Send(r.TB.Context(), false, http.MethodGet, "/backup", nil, "")
	require.NoError(r.TB, err, "a backup of %s", from.ID)
	require.Equal(r.TB, http.StatusOK, status, "a backup of %s: %s", from.ID, file)
	query := fmt.Sprintf("?timeout=%s", restoreTimeout)
	status, answer, err := to.Client.Within(restoreTimeout+restoreTimeout/10).Send(r.TB.Context(), false, http.MethodPost, "/restore"+query, map[string]string{"Content-Type": "application/octet-stream"}, string(file))
	require.NoError(r.TB, err, "a restore on %s", to.ID)
	require.Equal(r.TB, http.StatusOK, status, "a restore of %d bytes on %s: %s", len(file), to.ID, answer)
}
