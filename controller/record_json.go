package controller

import (
	"encoding/json"
	"strconv"

	"versiond/model"
)

// recordJSON is what json.Marshal makes of a record, without its reflection where no character has to be
// escaped.
func recordJSON(r model.VersionDB) []byte {
	if !isPlain(r.ID) || !isPlain(r.VersionNo) || !isPlain(r.Platform) {
		whole, _ := json.Marshal(r) // texts and a number always can be
		return whole
	}
	const texts = `{"id":"","versionNo":"","platform":"","revision":18446744073709551615}`
	out := make([]byte, 0, len(texts)+len(r.ID)+len(r.VersionNo)+len(r.Platform)+1)
	out = append(append(out, `{"id":"`...), r.ID...)
	out = append(append(out, `","versionNo":"`...), r.VersionNo...)
	out = append(append(out, `","platform":"`...), r.Platform...)
	out = strconv.AppendUint(append(out, `","revision":`...), r.Revision, 10)
	return append(out, '}')
}

// isPlain reports whether json.Marshal would leave a text as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}
