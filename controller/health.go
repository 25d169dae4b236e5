package controller

import (
	"context"
	"net/http"
	"slices"

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
	in.do(func(ctx context.Context) {
		checks := v.service.Readiness(ctx)
		ready := !slices.ContainsFunc(checks, func(check model.Check) bool { return !check.OK })
		status := http.StatusOK
		if !ready {
			c.Header("Retry-After", "1")
			status = http.StatusServiceUnavailable
		}
		answerJSON(c, status, Readiness{Node: v.service.NodeID(), Ready: ready, Checks: checks})
	})
}
