package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// entityTag is how a revision is written in ETag, If-Match and If-None-Match.
func entityTag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

func setETag(c *gin.Context, revision uint64) {
	c.Writer.Header()["Etag"] = []string{entityTag(revision)}
}

// headers reads the headers of a request.
type headers struct {
	*faults
	http.Header
}

// condition is which revisions a record may have for a request to go ahead. The zero value asks for none.
type condition struct {
	revisions []uint64
	// never holds a tag that no record can have, such as a weak one, when there are no others.
	never string
}

func (c condition) given() bool { return len(c.revisions) > 0 || c.never != "" }

// allows reports whether a record of this revision will do.
func (c condition) allows(revision uint64) bool {
	return !c.given() || slices.Contains(c.revisions, revision)
}

// refusal is for a record of another revision.
func (c condition) refusal() error {
	if c.never == "" {
		return model.ErrRevisionMismatch
	}
	return model.Explain(model.ErrRevisionMismatch, neverMatches(c.never))
}

// neverMatches returns why a tag does not match although the revision in it may be the record's.
func neverMatches(tag string) string {
	why := "it is not what a node gives as ETag"
	if strings.HasPrefix(tag, "W/") {
		why = "a weak tag does not, whatever the revision"
	}
	opaque := strings.TrimPrefix(strings.TrimPrefix(tag, "W/"), `"`)
	digits := opaque[:len(opaque)-len(strings.TrimLeft(opaque, "0123456789"))]
	if digits == "" || len(tag) > fieldNameBytesMax {
		return `If-Match can never match: ` + why + `; send the record's revision in double quotes, such as "4096"`
	}
	return fmt.Sprintf(`If-Match: %s can never match: %s. A proxy that compresses answers makes such tags: send If-Match: "%s", or read with Accept-Encoding: identity`, tag, why, digits)
}

// ifMatch returns the condition that If-Match states. A tag that no record can have is well formed and
// matches nothing: if there are no others the request ends in 412 like one with a revision that is not current.
func (h headers) ifMatch() (c condition) {
	values, sent := h.Header["If-Match"]
	if !sent {
		return c
	}
	tags, _, ok := parseTags(values)
	if !ok {
		h.wrong("If-Match", `must be a revision in double quotes as ETag gave it, such as "4096", a list of them, or *`)
		return c
	}
	for _, tag := range tags {
		revision, err := strconv.ParseUint(strings.Trim(tag, `"`), 10, 64)
		if err == nil && revision != 0 && tag == entityTag(revision) {
			c.revisions = append(c.revisions, revision)
		}
	}
	if len(tags) > 0 && len(c.revisions) == 0 {
		c.never = tags[0]
	}
	return c
}

// alsoRevision returns the condition of a change whose body has a revision, 0 for none, as one has that was
// read before: it is what If-Match would say.
func (h headers) alsoRevision(c condition, revision uint64) condition {
	switch {
	case revision == 0:
		return c
	case !c.allows(revision):
		h.wrong("revision", "contradicts If-Match, which names another one; send either")
	}
	return condition{revisions: []uint64{revision}}
}

// settle returns the one revision that a change of a record depends on, 0 for none. Where it takes more than
// one, or none that a record can have, it looks at the record: result is what stood in the way then.
func (v *VersionController) settle(ctx context.Context, id string, c condition) (revision uint64, result model.Result, err error) {
	if !c.given() || len(c.revisions) == 1 {
		return slices.Max(append(c.revisions, 0)), result, nil
	}
	result, err = v.service.GetVersionByID(ctx, id, model.ReadOptions{Level: model.LevelLinearizable})
	switch {
	case errors.Is(err, model.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return 0, result, fmt.Errorf("%w (%v)", model.ErrTimeout, err) // %v: nothing was asked for yet whose outcome could be open
	case errors.Is(err, model.ErrNotFound) && c.never == "":
	case err != nil:
		return 0, result, err
	case c.never != "":
		return 0, result, c.refusal()
	case c.allows(result.Record.Revision):
		return result.Record.Revision, result, nil
	}
	// Revisions only grow, unless a backup is restored, so this one alone can have been current when the same request
	// was sent before: with an Idempotency-Key it is answered as then, also of a record that is gone. Otherwise it is refused.
	return slices.Max(c.revisions), result, nil
}

// ifNoneMatch returns a function that reports whether the client has this revision already.
func (h headers) ifNoneMatch() func(tag string) bool {
	values, sent := h.Header["If-None-Match"]
	if !sent {
		return func(string) bool { return false }
	}
	tags, wildcard, ok := parseTags(values)
	if !ok {
		h.wrong("If-None-Match", `must be a list of tags in double quotes, such as "4096", "8192", or *`)
	}
	return func(tag string) bool {
		return wildcard || slices.ContainsFunc(tags, func(each string) bool { return strings.TrimPrefix(each, "W/") == tag })
	}
}

// refuseHeader reports a condition that this request does not honour: ignoring it would do what the
// client meant to prevent.
func (h headers) refuseHeader(name, detail string) {
	if _, sent := h.Header[name]; sent {
		h.wrong(name, detail)
	}
}

// parseTags reads the value of If-Match or If-None-Match (RFC 9110, section 13.1): wildcard is true for
// "*", otherwise tags has at least one tag with its quotes, and W/ before it when it is weak.
func parseTags(values []string) (tags []string, wildcard, ok bool) {
	rest := strings.Trim(strings.Join(values, ","), " \t")
	if rest == "*" {
		return nil, true, true
	}
	for rest != "" {
		end := tagEnd(rest)
		if end < 0 {
			return nil, false, false
		}
		tags = append(tags, rest[:end])
		rest = strings.TrimLeft(rest[end:], " \t")
		if rest != "" && rest[0] != ',' {
			return nil, false, false
		}
		rest = strings.TrimLeft(rest, ", \t")
	}
	return tags, false, len(tags) > 0
}

// tagEnd returns the length of the entity tag that text begins with, -1 when it begins with none.
func tagEnd(text string) int {
	opaque := strings.TrimPrefix(text, "W/")
	if opaque == "" || opaque[0] != '"' {
		return -1
	}
	for i := 1; i < len(opaque); i++ {
		switch {
		case opaque[i] == '"':
			return len(text) - len(opaque) + i + 1
		case opaque[i] <= ' ' || opaque[i] == 0x7f:
			return -1
		}
	}
	return -1
}
