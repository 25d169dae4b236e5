package controller

import (
	"context"
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
	queries, opts, ack := in.queries(), in.readOptions(), in.termAck()
	in.do(func(ctx context.Context) {
		found, index, err := p.service.LeaderRead(ctx, queries, opts, ack)
		setIndex(c, index)
		if err != nil {
			fail(c, err)
			return
		}
		c.Data(http.StatusOK, peer.FoundType, wire.AppendFound(nil, index, found))
	})
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
