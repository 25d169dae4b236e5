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

// unobserved observes nothing.
type unobserved struct{}

func (unobserved) Answered(string, string, int, time.Duration) {}

// Metrics answers what the node measures.
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
