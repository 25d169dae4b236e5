package controller

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/service/versions"
)

// LatestVersion answers the record with the newest version.
func (v *VersionController) LatestVersion(c *gin.Context) {
	in := readInput(c, "id", "prefix", "platform", "level", "min_index", "timeout")
	which, opts, current := in.candidates(), in.readOptions(), in.ifNoneMatch()
	in.do(func(ctx context.Context) {
		candidates, index, err := v.service.Candidates(ctx, which, opts)
		result := model.Result{Index: index}
		if err == nil {
			result.Record, err = candidates.Newest()
		}
		answerRead(c, result, err, current)
	})
}

// CheckVersion answers whether a client should update, and to which record.
func (v *VersionController) CheckVersion(c *gin.Context) {
	in := readInput(c, "id", "prefix", "platform", "current", "client", "none", "level", "min_index", "timeout")
	which, opts := in.candidates(), in.readOptions()
	current, client, noContent, known := in.versionNo("current"), in.client(), in.noContent(), in.ifNoneMatch()
	in.do(func(ctx context.Context) {
		candidates, index, err := v.service.Candidates(ctx, which, opts)
		setIndex(c, index)
		var advice versions.Advice
		if err == nil {
			advice, err = candidates.Advise(current, client)
		}
		switch {
		case err != nil:
			fail(c, err)
		case noContent && advice.Update == versions.UpdateNone:
			c.Status(http.StatusNoContent)
		default:
			answerTagged(c, advice, known) // it follows from several records
		}
	})
}

// answerTagged answers with a tag of what the answer says, where no revision tells it.
func answerTagged(c *gin.Context, answer any, known func(tag string) bool) {
	body, err := json.Marshal(answer)
	if err != nil {
		fail(c, err)
		return
	}
	sum := sha256.Sum256(body)
	tag := fmt.Sprintf(`"%x"`, sum[:8])
	c.Writer.Header()["Etag"] = []string{tag}
	if known(tag) {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, jsonType, append(body, '\n'))
}

// Comparison is the order of two version numbers.
type Comparison struct {
	// Order is -1 when a comes before b, 1 when it comes after b, and 0 when neither does.
	Order  int    `json:"order"`
	Scheme string `json:"scheme"`
}

// CompareVersions answers in which order two version numbers are. It reads no record.
func (v *VersionController) CompareVersions(c *gin.Context) {
	in := readInput(c, "a", "b", "scheme", "level", "min_index", "timeout")
	in.readOptions()
	in.timeout()
	scheme := cmp.Or(in.parameter("scheme"), versions.Natural)
	a, b := in.versionNo("a"), in.versionNo("b")
	if in.failed() { // how long a comparison takes grows with them
		return
	}
	order, err := versions.Compare(scheme, a, b)
	if err != nil {
		fail(c, err)
		return
	}
	answerJSON(c, http.StatusOK, Comparison{Order: order, Scheme: scheme})
}
