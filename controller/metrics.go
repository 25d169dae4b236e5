package controller

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// RequestObserver is told of every request that was answered, on the goroutine that answered it: it
// returns at once.
type RequestObserver interface {
	// Answered is given the pattern of the route that the request matched, "" when it matched none.
	Answered(method, route string, status int, took time.Duration)
}

// Metrics is what a node's requests are measured by.
type Metrics struct {
	// Public and Peer are told of the requests on the node's two ports.
	Public, Peer RequestObserver
	// Scrape answers GET /metrics.
	Scrape http.Handler
}

// unmeasured is the Metrics of a controller that was given none.
func unmeasured() Metrics {
	return Metrics{Public: unobserved{}, Peer: unobserved{}}
}

type unobserved struct{}

func (unobserved) Answered(string, string, int, time.Duration) {}

// MeasuredBy returns the same controller, with requests measured by m. Every field of m is required.
func (v *VersionController) MeasuredBy(m Metrics) *VersionController {
	measured := *v
	measured.metrics = m
	return &measured
}

// Metrics answers what the node measures.
//
// @ID           Metrics
// @Summary      What the node measures, for Prometheus
// @Description  `curl localhost:8081/metrics`
// @Description
// @Description  In the text format of Prometheus, or in another one that the Accept header asks for. docs/grafana-dashboard.json shows all of it.
// @Tags         health
// @Produce      plain,application/problem+json
// @Success      200  {string}  string  "the metrics"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`: there are no parameters"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      500  {object}  Problem  "`internal`"
// @Security     Bearer
// @Router       /metrics [get]
func (v *VersionController) Metrics(c *gin.Context) {
	if readInput(c).failed() {
		return
	}
	if v.metrics.Scrape == nil {
		fail(c, errNoSuchPath)
		return
	}
	v.metrics.Scrape.ServeHTTP(c.Writer, c.Request)
}
