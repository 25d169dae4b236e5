package controller

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"versiond/model"
)

const (
	timeoutDefault = 5 * time.Second
	timeoutMax     = 60 * time.Second

	limitDefault = 100
	limitMax     = 1000
)

// query reads the parameters of a request.
type query struct {
	*faults
	raw    string
	values url.Values
}

// readQuery refuses a parameter that is not among those known: ignoring a misspelt level would give a weaker read than
// was asked for.
func readQuery(f *faults, raw string, known []string) query {
	q := query{faults: f, raw: raw}
	if raw == "" {
		return q
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		f.wrong("query", "must be name=value pairs joined by &, with special characters percent-encoded")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			f.wrong(name, "is not a parameter of this request, which takes "+listOf(known))
		} else if len(values[name]) > 1 {
			f.wrong(name, "is given more than once")
		} else if values[name][0] == "" {
			f.wrong(name, "is empty; give it a value or leave it out")
		}
	}
	q.values = values
	return q
}

func listOf(names []string) string { return cmp.Or(strings.Join(names, ", "), "none") }

// parameter returns a parameter, "" when it was not sent: one that was sent empty is reported already.
func (q query) parameter(name string) string { return q.values.Get(name) }

// timeout returns how long the service may take.
func (q query) timeout() time.Duration { return q.timeoutUpTo(timeoutMax, timeoutDefault) }

func (q query) timeoutUpTo(most, fallback time.Duration) time.Duration {
	return q.duration("timeout", most, fallback)
}

func (q query) duration(name string, most, fallback time.Duration) time.Duration {
	value := q.parameter(name)
	if value == "" {
		return fallback
	}
	duration, err := time.ParseDuration(value)
	if err != nil || duration <= 0 || duration > most {
		q.wrong(name, fmt.Sprintf("must be a Go duration above 0 and at most %gs, such as 500ms or 10s", most.Seconds()))
	}
	return duration
}

func (q query) boolean(name string, fallback bool) bool {
	switch q.parameter(name) {
	case "":
		return fallback
	case "true":
		return true
	case "false":
		return false
	}
	q.wrong(name, "must be true or false")
	return false
}

// number returns a decimal number between low and high, of which right are the words.
func (q query) number(name string, fallback, low, high uint64, right string) uint64 {
	value := q.parameter(name)
	if value == "" {
		return fallback
	}
	number, err := strconv.ParseUint(value, 10, 64)
	if err != nil || number < low || number > high {
		q.wrong(name, "must be a whole number"+right)
	}
	return number
}

// text returns a parameter that must be as a versionNo or a platform is, if it was sent.
func (q query) text(name string) string {
	value := q.parameter(name)
	if value != "" {
		q.merge(model.ValidateText(name, value))
	}
	return value
}

// readOptions returns how current the read must be.
func (q query) readOptions() model.ReadOptions {
	return model.ReadOptions{Level: q.level(), MinIndex: q.number("min_index", 0, 0, math.MaxUint64, ", as X-Versiond-Index gave it")}
}

func (q query) level() model.Level {
	level := cmp.Or(model.Level(q.parameter("level")), model.LevelLinearizable)
	switch level {
	case model.LevelLinearizable, model.LevelLeader, model.LevelNone:
	default:
		q.wrong("level", "must be linearizable, leader or none")
	}
	return level
}

// listOptions returns which page of the listing is wanted.
func (q query) listOptions() model.ListOptions {
	return model.ListOptions{Platform: q.text("platform"), Prefix: q.prefix(), After: q.cursor(), Limit: q.limit()}
}

func (q query) prefix() string {
	prefix := q.parameter("prefix")
	q.merge(model.ValidatePrefix(prefix))
	return prefix
}

func (q query) limit() int {
	return int(q.number("limit", limitDefault, 1, limitMax, " from 1 to 1000"))
}

// cursor returns the id after which the page begins, "" for the first page.
func (q query) cursor() string {
	value := q.parameter("cursor")
	if value == "" {
		return ""
	}
	after, ok := model.DecodeCursor(value)
	if !ok {
		q.wrong("cursor", cursorRight)
	}
	return after
}

const cursorRight = "must be a nextCursor exactly as an earlier page gave it"

// revisionCursor returns the revision before which the page begins, 0 for the first page.
func (q query) revisionCursor() uint64 {
	after := q.cursor()
	if after == "" {
		return 0
	}
	revision, err := strconv.ParseUint(after, 10, 64)
	if err != nil || revision == 0 {
		q.wrong("cursor", cursorRight)
	}
	return revision
}

// termAck returns who asks, and the term that it says it is in; empty when it says nothing.
func (q query) termAck() model.TermAck {
	return model.TermAck{Node: q.parameter("node"), Term: q.number("term", 0, 0, math.MaxUint64, ", as GET /term gives it")}
}

// candidates returns the records that a question is about.
func (q query) candidates() (which model.Candidates) {
	which.Platform, which.Prefix = q.text("platform"), q.prefix()
	list := q.parameter("id")
	if list != "" {
		which.IDs = q.listOfIDs(list, model.CandidatesMax)
	}
	switch {
	case list != "" && which.Prefix != "":
		q.wrong("prefix", "does not go with id; ask for a list of ids, or for those with a prefix")
	case list == "" && which.Prefix == "" && which.Platform == "":
		q.wrong("id", "is required, or prefix or platform: which records are asked for, such as id=myapp-ios,myapp-ios-beta")
	}
	return which
}

// listOfIDs reads a list of ids; one that has a comma itself cannot be in it.
func (q query) listOfIDs(list string, most int) []string {
	ids := strings.Split(list, ",")
	if len(ids) > most {
		q.wrong("id", fmt.Sprintf("must be at most %d ids, such as myapp-ios,myapp-ios-beta", most))
		return nil
	}
	for _, id := range ids {
		q.merge(model.ValidateID(id))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// versionNo returns a version number. A + that was meant as one would be lost silently: it is a blank in a query.
func (q query) versionNo(name string) string {
	value := q.parameter(name)
	switch {
	case value == "":
		q.wrong(name, "is required: a version number, such as 1.10.0")
	case strings.Contains(value, " ") && strings.Contains(q.raw, "+"):
		q.wrong(name, "has a blank, which a + stands for in a query; write %2B for a +, as in 1.10.0%2B12, and %20 for a blank")
	default:
		q.merge(model.ValidateText(name, value))
	}
	return value
}

// client returns the name that puts a client into rollouts.
func (q query) client() string {
	client := q.parameter("client")
	if len(client) > model.IDBytesMax {
		q.wrong("client", "must be at most 128 bytes long, such as a UUID")
	}
	return client
}

// noContent reports whether a client wants 204 where there is no update, as Squirrel and Tauri do.
func (q query) noContent() bool {
	value := q.parameter("none")
	if value != "" && value != "204" {
		q.wrong("none", "must be 204, which is then the status of the answer that there is no update, or be left out")
	}
	return value != ""
}
