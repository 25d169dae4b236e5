package routers

import (
	_ "embed" // for the initializer
	"io/fs"
	"mime"
	"net/http"
	"path"

	"github.com/gin-gonic/gin"
	swaggerfiles "github.com/swaggo/files/v2"

	"versiond/api"
	"versiond/controller"
)

// initializer shows our description, of which the one that comes with the page knows nothing.
//
//go:embed swagger-initializer.js
var initializer []byte

// description serves /openapi.yaml. It names no host, so that clients ask the node that it came from.
func description(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", api.Description) }

// apiPage serves /swagger/index.html and what it loads.
func apiPage(v *controller.VersionController) gin.HandlerFunc {
	return func(c *gin.Context) {
		switch file := c.Param("file"); file {
		case "/":
			c.Header("Location", "index.html") // relative: a proxy may serve the node under a path of its own
			c.Status(http.StatusFound)
		case "/swagger-initializer.js":
			c.Data(http.StatusOK, "text/javascript; charset=utf-8", initializer)
		case "/index.html", "/index.css", "/oauth2-redirect.html", "/swagger-ui.css", "/swagger-ui-bundle.js",
			"/swagger-ui-standalone-preset.js", "/favicon-16x16.png", "/favicon-32x32.png":
			servePageFile(c, file[1:])
		default:
			v.NoSuchPath(c)
		}
	}
}

func servePageFile(c *gin.Context, name string) {
	content, err := fs.ReadFile(swaggerfiles.FS, name)
	if err != nil {
		_ = c.Error(err)
		return
	}
	c.Data(http.StatusOK, mime.TypeByExtension(path.Ext(name)), content)
}
