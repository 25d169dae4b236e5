package wire

import (
	"bytes"

	"versiond/model"
)

// keepChanges is the whole of the entry with which every node begins to keep changes: a format that no earlier release
// knows, so that it stops there, and the number of the command.
var keepChanges = []byte{4, byte(model.CommandKeepChanges)}

// KeepChanges returns that entry.
func KeepChanges() []byte { return bytes.Clone(keepChanges) }

// IsKeepChanges reports whether an entry is that one.
func IsKeepChanges(data []byte) bool { return bytes.Equal(data, keepChanges) }
