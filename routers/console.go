package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/controller"
	"versiond/web"
)

// console serves the page at / and, below /console, what it loads. There is nothing secret in it: who looks at it shows
// the token to the API.
func console(v *controller.VersionController) gin.HandlerFunc {
	return func(c *gin.Context) {
		name := "index.html"
		if file := c.Param("file"); file != "" {
			name = "console" + file
		}
		file, found := web.Open(name)
		if !found {
			v.NoSuchPath(c)
			return
		}
		c.Header("ETag", file.Tag)
		c.Header("Content-Security-Policy", web.Policy)
		c.Header("Referrer-Policy", "no-referrer")
		if c.GetHeader("If-None-Match") == file.Tag {
			c.Status(http.StatusNotModified)
			return
		}
		c.Data(http.StatusOK, file.Type, file.Content)
	}
}
