package controller

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/peer"
	"versiond/wire"
)

// admissionBytesMax bounds the body of POST /admit.
const admissionBytesMax = 4096

// PeerService is what other nodes ask of this one besides what clients may ask too. Every method may
// be called from any goroutine.
type PeerService interface {
	// Status is what this node says of itself.
	Status(ctx context.Context) peer.Status
	// Term is the Raft term that this node is in now.
	Term() peer.Term
	// LeaderReadIndex returns an index to read at, or model.ErrNotLeader. The ack may be empty.
	LeaderReadIndex(ctx context.Context, level model.Level, ack model.TermAck) (uint64, error)
	// LeaderRead answers queries of the member that ack is of, as current as opts asks, and returns the applied index that
	// the answers reflect; model.ErrNotLeader.
	LeaderRead(ctx context.Context, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error)
	// Admit starts Raft on a node that the cluster has taken in.
	Admit(ctx context.Context, admission peer.Admission) error
}

// PeerController has the handlers that only other nodes use. Any goroutine may call its methods.
type PeerController struct {
	service PeerService
	// secret is the hash of the cluster's: hashes are of one length, so that comparing tells nothing.
	secret [sha256.Size]byte
	// open is set when there is none; then browsers must be told from nodes by other means.
	open  bool
	hosts []string
}

// NewPeerController returns the controller for what other nodes ask of service. They must show the
// cluster's secret. When that is empty, programs that are no nodes must call this one by one of the hosts,
// which are as in Options, localhost or an IP address.
func NewPeerController(service PeerService, secret string, hosts ...string) (*PeerController, error) {
	if service == nil {
		return nil, errors.New("controller: the peer service is missing")
	}
	return &PeerController{service: service, secret: sha256.Sum256([]byte(secret)), open: secret == "", hosts: hosts}, nil
}

// RefuseStrangers refuses requests without the cluster's secret, and those of another cluster's
// nodes: a request that a wrong address has brought here must not be served as if it were ours.
func (p *PeerController) RefuseStrangers(c *gin.Context) {
	if shown := sha256.Sum256([]byte(c.GetHeader(peer.SecretHeader))); subtle.ConstantTimeCompare(shown[:], p.secret[:]) != 1 {
		c.Header("WWW-Authenticate", peer.SecretHeader)
		fail(c, model.Explain(model.ErrUnauthorized, "the peer port needs this cluster's secret in the header "+peer.SecretHeader))
		return
	}
	if p.open && c.GetHeader(peer.NodeHeader) == "" {
		if refuseOtherHosts(c, p.hosts); c.IsAborted() {
			return
		}
	}
	theirs, ours := c.GetHeader(peer.ClusterHeader), p.service.Term().Cluster
	if theirs != "" && ours != "" && theirs != ours {
		fail(c, model.Explain(model.ErrWrongNode, fmt.Sprintf("the request is meant for cluster %s, this node is a member of %s", theirs, ours)))
	}
}

// Status answers what the node says of itself.
func (p *PeerController) Status(c *gin.Context) {
	if readInput(c).failed() {
		return
	}
	answerJSON(c, http.StatusOK, p.service.Status(c.Request.Context()))
}

// Term answers which Raft term the node is in.
func (p *PeerController) Term(c *gin.Context) {
	if readInput(c).failed() {
		return
	}
	answerJSON(c, http.StatusOK, p.service.Term())
}

// ReadIndex answers the index that a follower's reads must reflect.
func (p *PeerController) ReadIndex(c *gin.Context) {
	in := readInput(c, "level", "node", "term")
	level, ack := in.level(), in.termAck()
	ask(in, func(ctx context.Context) (peer.Index, error) {
		index, err := p.service.LeaderReadIndex(ctx, level, ack)
		return peer.Index{Index: index}, err
	})
}

// Admit starts Raft on a node that the cluster has taken in.
func (p *PeerController) Admit(c *gin.Context) {
	in := readInput(c)
	admission := in.admission()
	if in.failed() {
		return
	}
	if err := p.service.Admit(c.Request.Context(), admission); err != nil {
		fail(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

// admission decodes the body of /admit.
func (in *input) admission() (admission peer.Admission) {
	data, ok := in.body(jsonType, admissionBytesMax)
	if !ok {
		return admission
	}
	if err := json.Unmarshal(data, &admission); err != nil || admission.Cluster == "" {
		in.wrong("body", `must be an object like {"cluster":"…","replica":false}`)
	}
	return admission
}

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
