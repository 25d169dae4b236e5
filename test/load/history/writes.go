package history

import (
	"math"

	"github.com/anishathalye/porcupine"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// platform is that of all records of Clients.
const platform = "linux"

var changeOps = map[Kind]model.ChangeOp{Add: model.ChangeCreate, Update: model.ChangeUpdate, Delete: model.ChangeDelete}

// Writes returns those that were acknowledged, and those of unknown outcome. Nobody may record meanwhile.
func (r *Recorder) Writes() (writes []*cluster.Write) {
	for key, operations := range r.operations {
		for _, o := range operations {
			out := answer(o)
			if input(o).Kind == Read || !out.Unknown && out.Outcome != model.OutcomeDone {
				continue
			}
			w := &cluster.Write{ID: key, Op: changeOps[input(o).Kind], After: certainBefore(operations, o), Until: math.MaxUint64}
			if w.Op != model.ChangeDelete {
				w.VersionNo, w.Platform = input(o).VersionNo, platform
			}
			if !out.Unknown {
				w.Acknowledge(out.Revision, out.Index)
			}
			writes = append(writes, w)
		}
	}
	return writes
}

// certainBefore returns the greatest revision that the record had for certain when an operation began.
func certainBefore(operations []porcupine.Operation, o porcupine.Operation) (revision uint64) {
	for _, other := range operations {
		if other.Return < o.Call && !answer(other).Unknown {
			revision = max(revision, answer(other).Revision)
		}
	}
	return revision
}
