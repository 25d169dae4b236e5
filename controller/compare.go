package controller

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
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
	scheme, _ := in.parameter("scheme")
	scheme = cmp.Or(scheme, versions.Natural)
	order, err := versions.Compare(scheme, in.versionNo("a"), in.versionNo("b"))
	in.merge(err)
	if in.failed() {
		return
	}
	answerJSON(c, http.StatusOK, Comparison{Order: order, Scheme: scheme})
}

// versionNo returns a version number of the query. A + that was meant as one would be lost silently: it is a blank there.
func (in *input) versionNo(name string) string {
	value, sent := in.parameter(name)
	switch {
	case !sent:
		in.wrong(name, "is required: a version number, such as 1.10.0")
	case strings.Contains(value, " ") && strings.Contains(in.c.Request.URL.RawQuery, "+"):
		in.wrong(name, "has a blank, which a + stands for in a query; write %2B for a +, as in 1.10.0%2B12, and %20 for a blank")
	default:
		in.merge(model.ValidateText(name, value))
	}
	return value
}
