package history

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"versiond/model"
)

// CheckWeak returns which reads of the weak levels cannot be right. They may give any former state, but
// none that nobody wrote, and none older than the index that the answer itself is labelled with. Nobody
// may record meanwhile.
func (r *Recorder) CheckWeak() (stale []string) {
	for key, reads := range r.weak {
		for _, read := range reads {
			if why := judge(read, r.operations[key]); why != "" {
				stale = append(stale, fmt.Sprintf("%q: %+v -> %+v: %s", key, read.Input, read.Output, why))
			}
		}
	}
	return stale
}

func judge(read porcupine.Operation, operations []porcupine.Operation) string {
	if read.Output.(Output).Outcome == model.OutcomeNotFound {
		return judgeAbsence(read, operations)
	}
	out := read.Output.(Output)
	written := find(operations, func(write porcupine.Operation) bool {
		return write.Call <= read.Return && creates(write) && input(write).VersionNo == out.VersionNo &&
			(answer(write).Unknown || answer(write).Revision == out.Revision)
	})
	if written == nil {
		return "nobody wrote that"
	}
	over := find(operations, func(write porcupine.Operation) bool {
		return reflected(write, out.Index) && (answer(write).Revision > out.Revision ||
			input(write).Kind == Delete && written.Return < write.Call)
	})
	if over != nil {
		return fmt.Sprintf("by that index it was over: %+v -> %+v", over.Input, over.Output)
	}
	return ""
}

// judgeAbsence needs a delete for every write that the answer's label covers.
func judgeAbsence(read porcupine.Operation, operations []porcupine.Operation) string {
	there := find(operations, func(write porcupine.Operation) bool {
		if !creates(write) || !reflected(write, read.Output.(Output).Index) {
			return false
		}
		return nil == find(operations, func(other porcupine.Operation) bool {
			return input(other).Kind == Delete && other.Return > write.Call && other.Call <= read.Return &&
				(answer(other).Unknown || answer(other).Outcome == model.OutcomeDone)
		})
	})
	if there != nil {
		return fmt.Sprintf("by that index it was there: %+v -> %+v", there.Input, there.Output)
	}
	return ""
}

// reflected reports whether a write is known to be done at an index.
func reflected(write porcupine.Operation, index uint64) bool {
	out := answer(write)
	if out.Unknown || out.Outcome != model.OutcomeDone || input(write).Kind == Read {
		return false
	}
	if input(write).Kind == Delete {
		return out.Index <= index
	}
	return out.Revision < model.Revision(index+1, 0)
}

func creates(operation porcupine.Operation) bool {
	kind := input(operation).Kind
	return (kind == Add || kind == Update) && (answer(operation).Unknown || answer(operation).Outcome == model.OutcomeDone)
}

func input(operation porcupine.Operation) Input { return operation.Input.(Input) }

func answer(operation porcupine.Operation) Output { return operation.Output.(Output) }

func find(operations []porcupine.Operation, is func(porcupine.Operation) bool) *porcupine.Operation {
	for i := range operations {
		if is(operations[i]) {
			return &operations[i]
		}
	}
	return nil
}
