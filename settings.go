package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"versiond/config"
	"versiond/group"
)

// settings are those of this process, of which some change while nodes run.
type settings struct {
	mu    sync.Mutex
	cfg   config.Config
	nodes map[*runningNode]bool
}

func newSettings(cfg config.Config) *settings {
	return &settings{cfg: cfg, nodes: map[*runningNode]bool{}}
}

// now returns the settings for a node that is to be opened.
func (s *settings) now() config.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg
}

// govern has a node follow the settings until it is let go.
func (s *settings) govern(n *runningNode) (letGo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[n] = true
	n.renew(s.cfg)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.nodes, n)
	}
}

// follow takes over what may change of settings that were read anew, until the context ends.
func (s *settings) follow(ctx context.Context, anew <-chan config.Config) {
	for {
		select {
		case cfg := <-anew:
			group.Aside(ctx.Done(), func() { s.renew(cfg) }) // a file that does not answer holds up nobody who stops
		case <-ctx.Done():
			return
		}
	}
}

func (s *settings) renew(cfg config.Config) {
	for _, n := range s.take(cfg) {
		n.renewCertificates() // without the lock: files may take for ever, and a node that stops is let go meanwhile
	}
}

// take has the nodes that run go by cfg, but for their files, and returns them.
func (s *settings) take(cfg config.Config) []*runningNode {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg = cfg
	for n := range s.nodes {
		n.renew(cfg)
	}
	return slices.Collect(maps.Keys(s.nodes))
}

// warnOfOpenPorts logs what others on the network can read and change, where nodes listen outside this machine without TLS.
func warnOfOpenPorts(cfg config.Config, log *slog.Logger) {
	open := map[string]string{
		"tls.certFile":     "what clients send and read, tokens too (tls.certFile)",
		"cluster.certFile": "what nodes tell each other, cluster.secret and all records too (cluster.certFile)",
	}
	host, missing := cfg.Unprotected()
	for i, setting := range missing {
		missing[i] = open[setting]
	}
	if len(missing) > 0 {
		log.Warn("nodes listen outside this machine without TLS: whoever is on the way can read and change "+strings.Join(missing, ", and "), "host", host)
	}
}
