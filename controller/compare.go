package controller

import (
	"cmp"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/service/versions"
)

// Comparison says which of two version numbers comes first.
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
	order, err := versions.Compare(scheme, in.versionNo("a"), in.versionNo("b"))
	in.merge(err)
	if in.failed() {
		return
	}
	answerJSON(c, http.StatusOK, Comparison{Order: order, Scheme: scheme})
}
