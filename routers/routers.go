// Package routers lays out the two HTTP ports of a node: which path goes to which handler.
package routers

import (
	"sync"

	"github.com/gin-gonic/gin"

	"versiond/controller"
	"versiond/naming"
)

// SetUpVersionRouter returns the engine of the public port: the console, versions,
// membership, health and the API page.
func SetUpVersionRouter(v *controller.VersionController) *gin.Engine {
	engine := newEngine(v, v.Serve, v.NoSuchPath)
	read := engine.Group("", v.Require(naming.RoleRead))
	ask := engine.Group("", v.RequireForQuestions())
	write := engine.Group("", v.Require(naming.RoleWrite), v.RefuseCrossSite)
	admin := engine.Group("", v.Require(naming.RoleAdmin), v.RefuseCrossSite)

	write.POST("/version", v.AddVersion)
	write.POST("/version/batch", v.WriteBatch)
	get(read, "/version", v.ListVersions)
	get(ask, "/version/compare", v.CompareVersions)
	get(ask, "/version/latest", v.LatestVersion)
	get(ask, "/version/check", v.CheckVersion)
	get(engine.Group("", v.RequireThroughout(naming.RoleRead)), "/version/watch", v.WatchVersions)
	get(read, "/version/:id", v.GetVersionByID)
	get(read, "/version/:id/history", v.GetHistory)
	write.PUT("/version/:id", v.UpdateVersion)
	write.DELETE("/version/:id", v.DeleteVersion)

	admin.POST("/join/:id/:addr", v.JoinRaftCluster)
	admin.GET("/join/:id/:addr", v.JoinRaftCluster)
	admin.DELETE("/peer/:id", v.DeleteFatalPeer)
	get(read, "/peers", v.GetPeers)
	get(read, "/leader", v.GetLeaderPortAddress)
	admin.POST("/leader/:id", v.TransferLeadership)
	engine.GET("/backup", v.RequireThroughout(naming.RoleAdmin), v.Backup) // it changes nothing; no HEAD, which would read all records for nothing
	admin.POST("/restore", v.Restore)

	get(read, "/whoami", v.WhoAmI)
	get(read, "/metrics", v.Metrics)

	// Probes have no tokens, and a browser loads the pages before it can be given one.
	get(engine, "/", console(v))
	get(engine, "/console/*file", console(v))
	get(engine, "/livez", v.Livez)
	get(engine, "/readyz", v.Readyz)
	get(engine, "/openapi.yaml", description)
	get(engine, "/swagger/*file", apiPage(v))
	return engine
}

// get serves GET, and HEAD, which is GET without the body: net/http leaves that out. What changes
// something in spite of its GET, as joining does, takes no HEAD.
func get(group gin.IRoutes, path string, handler gin.HandlerFunc) {
	group.GET(path, handler)
	group.HEAD(path, handler)
}

// SetUpRaftRouter returns the engine of the peer port, for the other nodes alone: GET / is how they
// join, POST /command how a follower hands its clients' writes to the leader.
func SetUpRaftRouter(v *controller.VersionController, p *controller.PeerController) *gin.Engine {
	engine := newEngine(v, v.ServePeers, v.NoSuchPeerPath)
	peers := engine.Group("", v.RefuseCrossSite, p.RefuseStrangers)

	peers.GET("/", v.JoinRaftCluster)
	peers.POST("/command", v.LeaderHandleCommand)
	peers.GET("/read-index", p.ReadIndex)
	peers.POST("/read", p.Read)
	peers.GET("/term", p.Term)
	peers.GET("/status", p.Status)
	peers.POST("/admit", p.Admit)

	// What a follower cannot do itself it asks of the leader, by the public handlers.
	peers.DELETE("/peer/:id", v.DeleteFatalPeer)
	peers.POST("/leader/:id", v.TransferLeadership)
	peers.POST("/restore", v.Restore)
	return engine
}

// newEngine returns an engine on which every answer, also to unknown paths, goes through serve.
func newEngine(v *controller.VersionController, serve, noSuchPath gin.HandlerFunc) *gin.Engine {
	engine := NewEngine()
	engine.Use(serve)
	engine.NoRoute(noSuchPath)
	engine.NoMethod(v.MethodNotAllowed)
	return engine
}

// NewEngine returns an engine with the settings of both ports, and without routes.
func NewEngine() *gin.Engine {
	quiet()
	engine := gin.New()
	// Ids are matched as they were sent and decoded once by the handlers: gin would take the plus
	// sign of libstdc++6 for a blank, and a %2F for the end of the id.
	engine.UseEscapedPath = true
	engine.UseRawPath = true
	engine.UnescapePathValues = false
	engine.RedirectTrailingSlash = false
	engine.HandleMethodNotAllowed = true
	engine.ForwardedByClientIP = false
	return engine
}

// quiet keeps gin from printing its routes. The mode is gin's own global; it is set once, as nodes
// start side by side.
var quiet = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })
