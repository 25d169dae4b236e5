package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/anishathalye/porcupine"
)

const pictureTimeout = 30 * time.Second

// saved is one operation as Save writes it; times are nanoseconds since recording began.
type saved struct {
	Client    int
	Call, End int64
	Input     Input
	Output    Output
}

// Save writes every operation to history.json in dir, and for each key that Check finds wrong a picture
// of its history to history-<key>.html.
func (r *Recorder) Save(dir string) error {
	var all []saved
	for _, byKey := range []map[string][]porcupine.Operation{r.operations, r.weak} {
		for _, operations := range byKey {
			for _, o := range operations {
				all = append(all, saved{o.ClientId, o.Call, o.Return, input(o), answer(o)})
			}
		}
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return fmt.Errorf("save the history: %w", err)
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "history.json"), text, 0o600), r.picture(dir))
}

func (r *Recorder) picture(dir string) (err error) {
	wrong, _ := r.Check(pictureTimeout)
	for _, key := range wrong {
		result, info := porcupine.CheckOperationsVerbose(recordModel(), r.operations[key], pictureTimeout)
		if result == porcupine.Illegal {
			err = errors.Join(err, porcupine.VisualizePath(recordModel(), info, filepath.Join(dir, "history-"+key+".html")))
		}
	}
	return err
}
