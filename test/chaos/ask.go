package chaos

import (
	"versiond/model"
	"versiond/test/harness/cluster"
)

// updateNothing asks a node for a write that leaves nothing behind, also when it is done.
func updateNothing(r *Round, n *cluster.Node) error {
	_, err := n.Client.Update(r.TB.Context(), model.VersionDB{ID: "nobody", VersionNo: "1", Platform: "linux"}, 0)
	return err
}
