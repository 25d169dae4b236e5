package controller

import (
	"math"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/peer"
	"versiond/wire"
)

// queriesBytesMax takes queries for wire.ReadsMax ids of 128 bytes.
const queriesBytesMax = 256 << 10

// Read answers what a follower passes on of its clients' reads.
func (p *PeerController) Read(c *gin.Context) {
	in := readInput(c, "level", "min_index", "node", "term", "timeout")
	queries, opts, ack, timeout := in.queries(), in.readOptions(), in.termAck(), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	found, index, err := p.service.LeaderRead(ctx, queries, opts, ack)
	setIndex(c, index)
	if err != nil {
		fail(c, err)
		return
	}
	c.Data(http.StatusOK, peer.FoundType, wire.AppendFound(nil, index, found))
}

// queries decodes the body of /read.
func (in *input) queries() []model.Query {
	data, ok := in.body(peer.QueriesType, queriesBytesMax)
	if !ok {
		return nil
	}
	queries, err := wire.DecodeQueries(data)
	if err != nil {
		in.wrong("body", "must be queries that this release can read: "+err.Error())
	}
	return queries
}

// termAck returns who asks, and the term that it says it is in; empty when it says nothing.
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
