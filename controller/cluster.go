package controller

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// JoinRaftCluster makes a node a member. It serves POST and GET /join/:id/:addr of the public port
// and GET / of the peer port, where id and addr are query parameters.
//
// @ID           JoinRaftCluster
// @Summary      Make a node a member
// @Description  Start a further node, then let it join through any member:
// @Description
// @Description      go run . --node node4 --address 127.0.0.1:7004 --port 8084 --data-dir ./data
// @Description      curl -X POST localhost:8081/join/node4/127.0.0.1:7004
// @Description
// @Description  The cluster asks the node that answers at addr who it is, adds it, and makes it a voter once it has caught up. Joining again is no error. The same id at a new address moves the member there if nothing answers at the old one.
// @Tags         cluster
// @Produce      json,application/problem+json
// @Param        id       path   string   true   "id of the node"  example(node4)
// @Param        addr     path   string   true   "where other nodes reach it, host:port"  example(127.0.0.1:7004)
// @Param        voter    query  boolean  false  "false adds a member that gets everything and has no vote"  default(true)
// @Param        timeout  query  string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(30s)
// @Success      200  {object}  model.Member  "the node is a member"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role admin; `cross_site`"
// @Failure      409  {object}  Problem  "`id_in_use`: a node with this id still answers elsewhere; `address_in_use`: another member has this address"
// @Failure      429  {object}  Problem  "`too_many_requests`: another change of the members goes on; nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      502  {object}  Problem  "`node_unreachable`: nothing answers at addr; `wrong_node`: another node does, or one of another cluster"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: see /peers"
// @Security     Bearer
// @Router       /join/{id}/{addr} [post]
func (v *VersionController) JoinRaftCluster(c *gin.Context) {
	in, id, address := readJoin(c)
	id, address = in.member(id), in.address(address)
	voter, timeout := in.boolean("voter", true), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	member, err := v.service.JoinRaftCluster(ctx, id, address, voter)
	if err != nil {
		fail(c, unknownIfExpired(err))
		return
	}
	answerJSON(c, http.StatusOK, member)
}

// The same handler by other ways. Each needs its own operation ID.
//
// @ID           JoinRaftClusterByLink
// @Summary      Make a node a member, from the address bar
// @Description  The same as POST, for a browser's address bar. A link or an image on another site's page is refused.
// @Tags         cluster
// @Produce      json,application/problem+json
// @Param        id       path   string   true   "id of the node"  example(node4)
// @Param        addr     path   string   true   "where other nodes reach it, host:port"  example(127.0.0.1:7004)
// @Param        voter    query  boolean  false  "false adds a member that gets everything and has no vote"  default(true)
// @Param        timeout  query  string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(30s)
// @Success      200  {object}  model.Member  "the node is a member"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role admin; `cross_site`"
// @Failure      409  {object}  Problem  "`id_in_use`, `address_in_use`"
// @Failure      429  {object}  Problem  "`too_many_requests`: another change of the members goes on; nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      502  {object}  Problem  "`node_unreachable`, `wrong_node`"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: see /peers"
// @Security     Bearer
// @Router       /join/{id}/{addr} [get]

// The peer port's way to join, which nodes use among themselves.
//
// @ID           JoinRaftClusterFromPeer
// @Summary      Make a node a member (peer port)
// @Description  Lives on the peer port. A node that is started with `--join` asks it of the members that it was told:
// @Description
// @Description      go run . --node node4 --address 127.0.0.1:7004 --port 8084 --data-dir ./data --join 127.0.0.1:7001
// @Description      curl 'localhost:7001/?id=node4&addr=127.0.0.1:7004'
// @Tags         internal
// @Produce      json,application/problem+json
// @Param        id       query  string   true   "id of the node"  example(node4)
// @Param        addr     query  string   true   "where other nodes reach it, host:port"  example(127.0.0.1:7004)
// @Param        voter    query  boolean  false  "false adds a member that gets everything and has no vote"  default(true)
// @Param        timeout  query  string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(30s)
// @Success      200  {object}  model.Member  "the node is a member"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the cluster's secret is missing or wrong"
// @Failure      403  {object}  Problem  "`cross_site`"
// @Failure      409  {object}  Problem  "`id_in_use`, `address_in_use`"
// @Failure      429  {object}  Problem  "`too_many_requests`: another change of the members goes on; nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      502  {object}  Problem  "`node_unreachable`, `wrong_node`"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`"
// @Security     ClusterSecret
// @Router       / [get]

// readJoin finds id and address where the port that was asked has them.
func readJoin(c *gin.Context) (in *input, id, address string) {
	if len(c.Params) == 0 {
		in = readInput(c, "id", "addr", "voter", "timeout")
		id, _ = in.parameter("id")
		address, _ = in.parameter("addr")
		return in, id, address
	}
	in = readInput(c, "voter", "timeout")
	return in, in.path("id"), in.path("addr")
}

// DeleteFatalPeer removes a member.
//
// @ID           DeleteFatalPeer
// @Summary      Remove a member
// @Description  `curl -i -X DELETE localhost:8081/peer/node4`
// @Description
// @Description  Any node takes it; a leader that is to be removed hands over first. A removed node comes back through /join or with an emptied data directory:
// @Description
// @Description      go run . --node node4 --address 127.0.0.1:7004 --port 8084 --data-dir ./data
// @Tags         cluster
// @Produce      json,application/problem+json
// @Param        id       path   string   true   "id of the member"  example(node4)
// @Param        force    query  boolean  false  "remove it although the voters left alive could not form a quorum; the only voter stays"  default(false)
// @Param        timeout  query  string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(30s)
// @Success      204  "it is no member any more"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role admin; `cross_site`"
// @Failure      404  {object}  Problem  "`not_found`: no member has this id"
// @Failure      409  {object}  Problem  "`quorum_at_risk`: the cluster would stop taking writes"
// @Failure      429  {object}  Problem  "`too_many_requests`: another change of the members goes on; nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      502  {object}  Problem  "`node_unreachable`: it leads, and no other voter takes over"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: see /peers"
// @Security     Bearer
// @Router       /peer/{id} [delete]
func (v *VersionController) DeleteFatalPeer(c *gin.Context) {
	in := readInput(c, "force", "timeout")
	id, force, timeout := in.member(in.path("id")), in.boolean("force", false), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	if err := v.service.DeleteFatalPeer(ctx, id, force); err != nil {
		fail(c, unknownIfExpired(err))
		return
	}
	c.Status(http.StatusNoContent)
}

// GetPeers answers every member and how it does.
//
// @ID           GetPeers
// @Summary      List the members
// @Description  `curl localhost:8081/peers`
// @Tags         cluster
// @Produce      json,application/problem+json
// @Param        timeout  query  string  false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {object}  model.Peers  "every member"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index of that node"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      500  {object}  Problem  "`internal`"
// @Security     Bearer
// @Router       /peers [get]
func (v *VersionController) GetPeers(c *gin.Context) {
	in := readInput(c, "timeout")
	timeout := in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	peers, err := v.service.Peers(ctx)
	if err != nil {
		fail(c, err)
		return
	}
	answerJSON(c, http.StatusOK, peers)
}
