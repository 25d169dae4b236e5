package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// Liveness is the answer of /livez.
type Liveness struct {
	Node string `json:"node"`
	Live bool   `json:"live"`
}

// Readiness is the answer of /readyz. Ready is true when every check is OK.
type Readiness struct {
	Node   string        `json:"node"`
	Ready  bool          `json:"ready"`
	Checks []model.Check `json:"checks"`
}

// Livez answers that the process is up. It asks nothing of the cluster or the store: restarting a
// node would mend neither.
func (v *VersionController) Livez(c *gin.Context) {
	if readInput(c).failed() {
		return
	}
	answerJSON(c, http.StatusOK, Liveness{Node: v.service.NodeID(), Live: true})
}

// Readyz answers whether the node should get requests.
func (v *VersionController) Readyz(c *gin.Context) {
	in := readInput(c, "timeout")
	timeout := in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	checks := v.service.Readiness(ctx)
	answer := Readiness{Node: v.service.NodeID(), Ready: allOK(checks), Checks: checks}
	if !answer.Ready {
		c.Header("Retry-After", "1")
		answerJSON(c, http.StatusServiceUnavailable, answer)
		return
	}
	answerJSON(c, http.StatusOK, answer)
}

func allOK(checks []model.Check) bool {
	for _, check := range checks {
		if !check.OK {
			return false
		}
	}
	return true
}
