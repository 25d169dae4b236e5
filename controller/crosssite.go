package controller

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// RefuseCrossSite goes before every handler that changes something. It refuses what a browser sends
// from another site's page, whatever the method: a link or an image is enough to send GET /join.
// Programs that are not browsers are not concerned, nor is an address typed into the address bar.
func (g *guard) RefuseCrossSite(c *gin.Context) {
	r := c.Request
	if r.Method == http.MethodGet {
		// The library trusts GET to change nothing; ours do, so they are checked as what they are.
		r = r.WithContext(r.Context())
		r.Method = http.MethodPost
	}
	if g.crossSite.Check(r) != nil {
		fail(c, errCrossSite)
		return
	}
	if c.Request.Method == http.MethodGet && g.originHidden(c.Request) {
		fail(c, model.Explain(errCrossSite, "this request changes something, and the browser does not say which page it comes from, "+
			"as browsers do not on plain HTTP; use POST on the public port, with curl -X POST or from the page /swagger/index.html there"))
	}
}

// originHidden reports whether a GET may come from a browser that does not say which site sent it. To
// plain HTTP addresses other than localhost browsers send no Sec-Fetch-Site, and no Origin with a
// GET; then the Referer has to show that the page is ours. Accept-Language tells browsers from
// tools that borrow their User-Agent.
func (g *guard) originHidden(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != "" {
		return false
	}
	if referer := r.Referer(); referer != "" {
		return !g.ownPage(referer, r.Host)
	}
	return strings.HasPrefix(r.UserAgent(), "Mozilla/") && r.Header.Get("Accept-Language") != ""
}
