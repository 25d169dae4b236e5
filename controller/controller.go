// Package controller speaks HTTP: it reads requests strictly, asks the service, and answers with
// records or with problem documents (RFC 9457).
//
// A handler never writes an error itself. It records the error and returns; Serve, which runs
// around every handler, answers it from the one table in table.go. So an error has the same form
// and code wherever it arises, also for unknown paths and for panics.
package controller

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"versiond/logs"
)

// VersionController has the handlers of the public port and of the peer port. It keeps nothing between
// requests but how much their bodies hold; any goroutine may call its methods.
type VersionController struct {
	*frame
}

// frame is what is around every handler.
type frame struct {
	*guard
	service VersionService
	logger  *slog.Logger
	// node is the value of X-Versiond-Node, made once because every answer carries it.
	node []string
	// audits is set when each request that changes something leaves a line in the log, and refused is for those of them
	// that come again and again.
	audits  bool
	refused *slog.Logger
	metrics Metrics
	// bodies are those of clients, which must not stand in the way of those of other nodes.
	bodies, peerBodies *bodyBudget
}

// guard keeps requests from handlers that they may not reach.
type guard struct {
	access    atomic.Pointer[access]
	lasting   allLasting
	crossSite *http.CrossOriginProtection
	// publicQuestions, hosts and origins are those of Options.
	publicQuestions bool
	hosts, origins  []string
}

// Options is what a VersionController may be told besides.
type Options struct {
	// Access is who may send requests to the public port. It may be renewed.
	Access Access
	// Audit leaves a line in the log, at info, for each record and member that a request was to change.
	Audit bool
	// PublicQuestions lets anybody ask which version is the newest, without a token and from pages of any site.
	PublicQuestions bool
	// Hosts are the names, besides localhost and IP addresses, under which a node answers that asks nobody for a token or
	// a secret, each in the one spelling of naming.CanonicalHost.
	Hosts []string
	// Origins, such as https://registry.example.com, are those whose pages may change something though the
	// Host of their requests is another: a proxy has put its own there.
	Origins []string
	// Metrics is what requests are measured by, if they are; then every field of it is required.
	Metrics Metrics
}

// NewVersionController returns the controller of the node that service names. Service and logger are
// required.
func NewVersionController(service VersionService, logger *slog.Logger, options Options) (*VersionController, error) {
	if service == nil {
		return nil, errors.New("controller: the version service is missing")
	}
	if logger == nil {
		return nil, errors.New("controller: the logger is missing")
	}
	g := &guard{publicQuestions: options.PublicQuestions, hosts: options.Hosts, origins: options.Origins, crossSite: http.NewCrossOriginProtection()}
	g.Renew(options.Access)
	f := &frame{
		service: service, guard: g, logger: logger, node: []string{service.NodeID()}, audits: options.Audit, refused: logs.CalmOfAll(logger),
		metrics: options.Metrics, bodies: &bodyBudget{}, peerBodies: &bodyBudget{},
	}
	if f.metrics.Public == nil {
		f.metrics = Metrics{Public: unobserved{}, Peer: unobserved{}}
	}
	for _, origin := range options.Origins {
		if err := g.crossSite.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("controller: %w", err)
		}
	}
	return &VersionController{f}, nil
}
