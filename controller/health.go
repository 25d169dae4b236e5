package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// Liveness is the answer of /livez.
type Liveness struct {
	Node string `json:"node" example:"node1"`
	Live bool   `json:"live" example:"true"`
}

// Readiness is the answer of /readyz. Ready is true when every check is OK.
type Readiness struct {
	Node   string        `json:"node" example:"node1"`
	Ready  bool          `json:"ready" example:"true"`
	Checks []model.Check `json:"checks"`
}

// Livez answers that the process is up. It asks nothing of the cluster or the store: restarting a
// node would mend neither.
//
// @ID           Livez
// @Summary      Is the process up
// @Description  `curl localhost:8081/livez`
// @Tags         health
// @Produce      json,application/problem+json
// @Success      200  {object}  Liveness  "it is"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`: there are no parameters"
// @Failure      500  {object}  Problem  "`internal`"
// @Router       /livez [get]
func (v *VersionController) Livez(c *gin.Context) {
	if readInput(c).failed() {
		return
	}
	answerJSON(c, http.StatusOK, Liveness{Node: v.service.NodeID(), Live: true})
}

// Readyz answers whether the node should get requests.
//
// @ID           Readyz
// @Summary      Should the node get requests
// @Description  `curl -i localhost:8081/readyz`
// @Tags         health
// @Produce      json,application/problem+json
// @Param        timeout  query  string  false  "how long the checks may take, as a Go duration, 60s at most"  default(5s)  example(1s)
// @Success      200  {object}  Readiness  "ready"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem    "`invalid_request`"
// @Failure      500  {object}  Problem    "`internal`"
// @Failure      503  {object}  Readiness  "not ready; each failed check says why"
// @Router       /readyz [get]
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
