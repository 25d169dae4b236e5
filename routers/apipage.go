package routers

import (
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"
	swaggerfiles "github.com/swaggo/files"
	ginswagger "github.com/swaggo/gin-swagger"

	"versiond/controller"
	"versiond/docs/swagger"
)

// apiPage serves /swagger/index.html and what it loads. The description names no host, so the page
// sends its requests to the node that it came from.
func apiPage(v *controller.VersionController) gin.HandlerFunc {
	// A handler of our own: the library writes to the one it exports, which all nodes would share.
	page := ginswagger.WrapHandler(swaggerfiles.NewHandler())
	return func(c *gin.Context) {
		file := c.Param("file")
		switch {
		case file == "/":
			c.Redirect(http.StatusFound, "/swagger/index.html")
		case file == "/doc.json":
			c.Data(http.StatusOK, "application/json", description())
		case !ofAPIPage(file):
			v.NoSuchPath(c)
		default:
			c.Request = asLibraryKnowsIt(c.Request, file)
			page(c)
		}
	}
}

// asLibraryKnowsIt gives a copy of the request: the server's own says whether the answer has a body.
// The library takes no HEAD, and guesses its prefix from the first URI it sees, query and all.
func asLibraryKnowsIt(r *http.Request, file string) *http.Request {
	r = r.WithContext(r.Context())
	r.Method, r.RequestURI = http.MethodGet, "/swagger"+file
	return r
}

// description renders the API description once: the library writes to it whenever it is read, and
// all nodes of a process share it.
var description = sync.OnceValue(func() []byte { return []byte(swagger.SwaggerInfo.ReadDoc()) })

// ofAPIPage tells the files that the page loads; the library would answer others in its own form.
func ofAPIPage(file string) bool {
	switch file {
	case "/index.html", "/index.css", "/swagger-initializer.js", "/oauth2-redirect.html",
		"/swagger-ui.css", "/swagger-ui-bundle.js", "/swagger-ui-standalone-preset.js",
		"/favicon-16x16.png", "/favicon-32x32.png":
		return true
	}
	return false
}
