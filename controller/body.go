package controller

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"versiond/model"
	"versiond/service/versions"
)

const (
	jsonType = "application/json"
	// bodyBytesMax bounds a JSON body.
	bodyBytesMax = 1 << 20
	// bodyTimeMax is how long a body may take that is kept in memory.
	bodyTimeMax = 15 * time.Second
	// byteOrderMark is what some editors put before a text in UTF-8. It is no part of it.
	byteOrderMark = "\xef\xbb\xbf"
)

const recordExample = `{"id":"app","versionNo":"1.0.0","platform":"linux"}`

// recordFields are those of a record in JSON.
func recordFields(record *model.VersionDB, details *model.Details, revision any) []field {
	fields := make([]field, 0, 4+len(model.DetailFields))
	fields = append(fields, field{name: "id", into: &record.ID}, field{name: "versionNo", into: &record.VersionNo},
		field{name: "platform", into: &record.Platform}, field{name: "revision", into: revision})
	for _, each := range model.DetailFields {
		fields = append(fields, field{name: each.Name, into: each.In(details), optional: true})
	}
	return fields
}

// namedDetails returns which details were sent, which may be to clear them.
func namedDetails(sent map[string]bool) (names model.DetailSet) {
	for _, each := range model.DetailFields {
		if sent[each.Name] {
			names |= each.Set
		}
	}
	return names
}

// newRecord returns the record that the body describes.
func (in *input) newRecord() model.VersionDB {
	record, sent := in.record(refused("is set by the cluster; leave it out"))
	if sent != nil {
		in.refuseReserved(record.ID)
		in.merge(checkRecord(record))
	}
	return record
}

// changedRecord returns the record of the path's id that the body describes, which details it names, and what the
// change depends on. The body may repeat the id, but must not name another: one of the two would have to be ignored. A
// revision in the body is taken for what it was when it was read.
func (in *input) changedRecord() (model.VersionDB, model.DetailSet, condition) {
	id := in.id()
	var revision uint64
	record, sent := in.record(&revision)
	if sent["id"] && record.ID != id {
		in.wrong("id", "must be left out or be the id of the path")
	}
	record.ID = id
	if sent != nil {
		in.merge(checkRecord(record))
	}
	return record, namedDetails(sent), in.alsoRevision(in.ifMatch(), revision)
}

// record decodes the body; sent is nil when it is no JSON object.
func (in *input) record(revision any) (record model.VersionDB, sent map[string]bool) {
	data, ok := in.body(jsonType, bodyBytesMax)
	if !ok {
		return record, nil
	}
	var details model.Details
	sent = in.object(data, "a record", recordExample, recordFields(&record, &details, revision))
	record.Details = details.OrNil()
	return record, sent
}

// checkRecord returns what is wrong with a record, also with its version numbers by its scheme.
func checkRecord(record model.VersionDB) error {
	if err := model.ValidateRecord(record); err != nil {
		return err
	}
	return versions.CheckRecord(record)
}

// newer reports whether a change is to be made only if its version comes after the record's. Sent again it would be compared
// with what it has written itself, so under a key it could not have the same answer twice.
func (in *input) newer() bool {
	newer := in.boolean("newer", false)
	if newer {
		in.refuseHeader(headerIdempotencyKey, "does not go with newer=true, which does nothing when it is sent again")
	}
	return newer
}

// body reads a body of the given type and at most so many bytes.
func (in *input) body(mediaType string, bytesMax int64) (data []byte, ok bool) {
	r := in.c.Request
	if in.refusal = cmp.Or(refuseType(r.Header, mediaType), refuseLength(r, bytesMax)); in.refusal != nil {
		return nil, false
	}
	connection := http.NewResponseController(in.c.Writer)
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeMax)) // a connection that knows no deadlines is a test's
	data, err := io.ReadAll(http.MaxBytesReader(in.c.Writer, r.Body, bytesMax))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		in.refusal = bodyTooLarge(bytesMax)
	case errors.Is(err, model.ErrTooManyRequests):
		in.refusal = err
	case errors.Is(err, os.ErrDeadlineExceeded):
		in.wrong("body", fmt.Sprintf("must be sent within %s", bodyTimeMax))
	case err != nil:
		in.wrong("body", "could not be read to its end")
	default:
		_ = connection.SetReadDeadline(time.Time{}) // from here on the request's own timeout counts
	}
	if mediaType == jsonType {
		data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	}
	return data, err == nil
}

// refuseLength refuses a body that says itself that it is too large, before any of it is read.
func refuseLength(r *http.Request, bytesMax int64) error {
	if r.ContentLength > bytesMax {
		return bodyTooLarge(bytesMax)
	}
	return nil
}

func bodyTooLarge(bytesMax int64) error {
	return model.Explain(errBodyTooLarge, fmt.Sprintf("the body is larger than the %d bytes that this path takes", bytesMax))
}

// refuseType returns what is wrong with the headers that describe the body.
func refuseType(h http.Header, mediaType string) error {
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return model.Explain(errMediaType, "a body with a Content-Encoding is not taken; send it as it is")
	}
	values := h.Values("Content-Type")
	if hasType(values, mediaType) {
		return nil
	}
	if len(values) > 1 {
		return model.Explain(errMediaType, "the header Content-Type is sent more than once")
	}
	if sent, parameters, _ := mime.ParseMediaType(h.Get("Content-Type")); sent == mediaType && parameters["charset"] != "" {
		return model.Explain(errMediaType, "the body has to be in UTF-8, and its Content-Type "+mediaType+" with no other charset")
	}
	return model.Explain(errMediaType, fmt.Sprintf(
		"send the header Content-Type: %s (with curl: -H 'Content-Type: %s')", mediaType, mediaType))
}

func hasType(values []string, mediaType string) bool {
	if len(values) != 1 {
		return false
	}
	if values[0] == mediaType {
		return true
	}
	sent, parameters, err := mime.ParseMediaType(values[0])
	charset, named := parameters["charset"]
	return err == nil && sent == mediaType && (!named || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8"))
}
