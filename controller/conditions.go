package controller

import (
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

// ifMatch gives the revision that a write depends on, 0 for none. A tag that no record can have is
// well formed and matches nothing, so it ends in 412 like any other revision that is not current.
func (in *input) ifMatch() uint64 {
	values, sent := in.c.Request.Header["If-Match"]
	if !sent {
		return 0
	}
	tags, wildcard, ok := parseTags(values)
	switch {
	case !ok || len(tags) > 1:
		in.wrong("If-Match", `must be one revision in double quotes as ETag gave it, such as "4096", or *`)
		return 0
	case wildcard:
		return 0
	}
	revision, err := strconv.ParseUint(strings.Trim(tags[0], `"`), 10, 64)
	if err != nil || revision == 0 || tags[0] != entityTag(revision) {
		in.mismatch = model.ErrRevisionMismatch
	}
	return revision
}

// ifNoneMatch gives a function that tells whether the client has this revision already.
func (in *input) ifNoneMatch() func(revision uint64) bool {
	values, sent := in.c.Request.Header["If-None-Match"]
	if !sent {
		return func(uint64) bool { return false }
	}
	tags, wildcard, ok := parseTags(values)
	if !ok {
		in.wrong("If-None-Match", `must be a list of tags in double quotes, such as "4096", "8192", or *`)
	}
	return func(revision uint64) bool {
		tag := entityTag(revision)
		return wildcard || slices.ContainsFunc(tags, func(each string) bool { return strings.TrimPrefix(each, "W/") == tag })
	}
}

// refuseHeader reports a condition that this request does not honour: ignoring it would do what the
// client meant to prevent.
func (in *input) refuseHeader(name, detail string) {
	if _, sent := in.c.Request.Header[name]; sent {
		in.wrong(name, detail)
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

// tagEnd gives the length of the entity tag that text begins with, -1 when it begins with none.
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
