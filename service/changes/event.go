package changes

import (
	"encoding/json"

	"versiond/model"
)

// Event is one that is sent to a watcher.
type Event struct {
	// Revision is the place to resume from once it has been taken, 0 when it is none.
	Revision uint64
	// JSON is the event in the form of the API. It must not be changed.
	JSON []byte
}

// line is the form of an event.
type line struct {
	Type     string           `json:"type"`
	Revision uint64           `json:"revision,omitempty"`
	ID       string           `json:"id,omitempty"`
	Record   *model.VersionDB `json:"record,omitempty"`
	Code     string           `json:"code,omitempty"`
	Detail   string           `json:"detail,omitempty"`
}

func (l line) json() []byte {
	text, _ := json.Marshal(l) // texts and numbers always marshal
	return text
}

func put(record model.VersionDB) []byte {
	return line{Type: "put", Revision: record.Revision, Record: &record}.json()
}

func deletion(revision uint64, id string) []byte {
	return line{Type: "delete", Revision: revision, ID: id}.json()
}

func bookmark(revision uint64) Event {
	return Event{Revision: revision, JSON: line{Type: "bookmark", Revision: revision}.json()}
}
