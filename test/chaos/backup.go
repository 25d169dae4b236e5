package chaos

import (
	"fmt"
	"net/http"
	"time"

	"versiond/test/harness/cluster"
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

// restoreBackup needs nobody to write: the restore would undo that. For the same reason it may be sent again.
func restoreBackup(r *Round) {
	r.TB.Helper()
	from, to := r.Node(), r.Node()
	var file []byte
	cluster.Eventually(r.TB, restoreTimeout, "a backup of "+from.ID, func() error { // it may still load what was restored before
		status, answer, err := from.Client.Within(restoreTimeout).Send(r.TB.Context(), false, http.MethodGet, "/backup", nil, "")
		file = answer
		return failed(status, answer, err)
	})
	cluster.Eventually(r.TB, 2*restoreTimeout, fmt.Sprintf("%d bytes from %s are to be restored on %s", len(file), from.ID, to.ID), func() error {
		status, answer, err := to.Client.Within(restoreTimeout+restoreTimeout/10).Send(r.TB.Context(), false, http.MethodPost, fmt.Sprintf("/restore?timeout=%s", restoreTimeout), map[string]string{"Content-Type": "application/octet-stream"}, string(file))
		return failed(status, answer, err)
	})
}

// failed returns why a request was not done.
func failed(status int, answer []byte, err error) error {
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d: %s", status, answer)
	}
	return err
}
