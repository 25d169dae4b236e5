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
