package controller

import (
	"math"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/peer"
	"versiond/wire"
)

// readsBytesMax takes wire.ReadsMax ids of 128 bytes.
const readsBytesMax = 256 << 10

// Read answers linearizable reads of a follower's clients.
//
// @ID           Read
// @Summary      Records for a follower's reads (peer port)
// @Description  Lives on the peer port of the leader. A follower that has not applied yet what it has in its log passes each group of waiting reads on. Body and answer are binary.
// @Tags         internal
// @Accept       application/vnd.versiond.reads
// @Produce      application/vnd.versiond.found,application/problem+json
// @Param        ids      body   string   true   "at most 1000 ids in the binary form of package wire"  format(binary)
// @Param        node     query  string   false  "the node that asks"  example(node2)
// @Param        term     query  integer  false  "the Raft term that it is in, as its part of the quorum"  example(3)
// @Param        timeout  query  string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {file}  file  "the applied index and a record, or none, for each id"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`: the body cannot be decoded"
// @Failure      401  {object}  Problem  "`unauthorized`: the cluster's secret is missing or wrong"
// @Failure      403  {object}  Problem  "`cross_site`"
// @Failure      413  {object}  Problem  "`body_too_large`: more than 256 KiB"
// @Failure      415  {object}  Problem  "`unsupported_media_type`"
// @Failure      429  {object}  Problem  "`too_many_requests`"
// @Failure      502  {object}  Problem  "`wrong_node`: the request belongs to another cluster"
// @Failure      503  {object}  Problem  "`not_leader`, `store_unavailable`, `not_caught_up`; see Retry-After"
// @Failure      504  {object}  Problem  "`timeout`"
// @Security     ClusterSecret
// @Router       /read [post]
func (p *PeerController) Read(c *gin.Context) {
	in := readInput(c, "node", "term", "timeout")
	ids, ack, timeout := in.reads(), in.termAck(), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	found, index, err := p.service.LeaderRead(ctx, ids, ack)
	setIndex(c, index)
	if err != nil {
		fail(c, err)
		return
	}
	c.Data(http.StatusOK, peer.FoundType, wire.AppendFound(nil, index, found))
}

// reads decodes the body of /read.
func (in *input) reads() []string {
	data, ok := in.body(peer.ReadsType, readsBytesMax)
	if !ok {
		return nil
	}
	ids, err := wire.DecodeReads(data)
	if err != nil {
		in.wrong("body", "must be ids that this release can read: "+err.Error())
	}
	return ids
}

// termAck gives who asks, and the term that it says it is in; empty when it says nothing.
func (in *input) termAck() (w model.TermAck) {
	w.Node, _ = in.parameter("node")
	value, sent := in.parameter("term")
	if !sent {
		return w
	}
	term, err := wholeNumber(value, 0, math.MaxUint64)
	if err != nil {
		in.wrong("term", "must be a whole number, as GET /term gives it")
	}
	w.Term = term
	return w
}
