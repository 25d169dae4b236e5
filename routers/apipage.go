package routers

import (
	"compress/gzip"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5/static"

	"versiond/api"
	"versiond/controller"
)

// page is ours of what /swagger/index.html loads: it shows our description. The rest is Swagger UI's.
//
//go:embed page
var page embed.FS

// description serves /openapi.yaml. It names no host, so that clients ask the node that it came from.
func description(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", api.Description) }

// apiPage serves /swagger/index.html and what it loads.
func apiPage(v *controller.VersionController) gin.HandlerFunc {
	return func(c *gin.Context) {
		switch file := c.Param("file"); file {
		case "/":
			c.Header("Location", "index.html") // relative: a proxy may serve the node under a path of its own
			c.Status(http.StatusFound)
		case "/index.html", "/swagger-initializer.js":
			c.Header("Content-Security-Policy", "frame-ancestors 'none'") // a page around this one could have its buttons pressed
			servePageFile(c, page, "page"+file)
		case "/favicon-16x16.png", "/favicon-32x32.png":
			servePageFile(c, static.FS, file[1:])
		case "/swagger-ui.css", "/swagger-ui-bundle.js", "/swagger-ui-standalone-preset.js":
			serveUnpacked(c, file[1:])
		default:
			v.NoSuchPath(c)
		}
	}
}

func servePageFile(c *gin.Context, files fs.FS, name string) {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		_ = c.Error(err)
		return
	}
	c.Data(http.StatusOK, mime.TypeByExtension(path.Ext(name)), content)
}

// serveUnpacked serves a file of Swagger UI, which is embedded compressed.
func serveUnpacked(c *gin.Context, name string) {
	file, err := static.FS.Open(name + ".gz")
	if err != nil {
		_ = c.Error(err)
		return
	}
	defer file.Close()
	content, err := gzip.NewReader(file)
	if err != nil {
		_ = c.Error(err)
		return
	}
	c.DataFromReader(http.StatusOK, -1, mime.TypeByExtension(path.Ext(name)), content, nil)
}
