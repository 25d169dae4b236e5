package controller

import (
	"errors"
	"log/slog"
	"net/http"
)

// VersionController has the handlers of the public port and of the peer port. It keeps nothing between
// requests but how much their bodies hold; any goroutine may call its methods.
type VersionController struct {
	service VersionService
	logger  *slog.Logger
	// node is the value of X-Versiond-Node, made once because every answer carries it.
	node      []string
	crossSite *http.CrossOriginProtection
	tokens    tokens
	// hosts and origins are those of Names.
	hosts, origins []string
	metrics        Metrics
	// bodies are those of clients, which must not stand in the way of those of other nodes.
	bodies, peerBodies *bodyBudget
}

// NewVersionController returns the controller of the node that service names. Service and logger are
// required. Clients of the public port need one of the tokens; without any, everybody may do everything.
func NewVersionController(service VersionService, logger *slog.Logger, tokens ...Token) (*VersionController, error) {
	if service == nil {
		return nil, errors.New("controller: the version service is missing")
	}
	if logger == nil {
		return nil, errors.New("controller: the logger is missing")
	}
	return &VersionController{
		service:   service,
		logger:    logger,
		node:      []string{service.NodeID()},
		crossSite: http.NewCrossOriginProtection(),
		tokens:    newTokens(tokens),
		metrics:   unmeasured(),
		bodies:    &bodyBudget{}, peerBodies: &bodyBudget{},
	}, nil
}
