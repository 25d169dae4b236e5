package controller

import (
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

const (
	headerIdempotencyKey = "Idempotency-Key"
	// headerReplayed marks the answer to an earlier request with the same key.
	headerReplayed = "X-Versiond-Replayed"
	keyBytesMax    = 128
)

// idempotencyKey returns the key that the client chose, "" for none.
func (h headers) idempotencyKey() string {
	values, sent := h.Header[headerIdempotencyKey]
	if !sent {
		return ""
	}
	if len(values) != 1 || values[0] == "" || len(values[0]) > keyBytesMax || strings.ContainsFunc(values[0], invisible) {
		h.wrong(headerIdempotencyKey, "must be one key of 1 to 128 visible ASCII characters, such as a UUID")
		return ""
	}
	return values[0]
}

func invisible(r rune) bool { return r <= ' ' || r > '~' }

// writeOptions returns the options of a write that depends on no revision.
func (in *input) writeOptions() model.WriteOptions {
	return model.WriteOptions{Key: in.idempotencyKey(), Origin: in.origin()}
}

// origin returns when this node had the request, and whose it is.
func (in *input) origin() *model.Origin {
	return model.NewOrigin(time.Now(), in.c.GetString(tokenKey))
}

func setReplayed(c *gin.Context, replayed bool) {
	if replayed {
		c.Writer.Header()[headerReplayed] = []string{"true"}
	}
}
