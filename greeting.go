package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"versiond/config"
	"versiond/group"
	"versiond/model"
	"versiond/service"
)

const greetingInterval = 100 * time.Millisecond

// greeting prints, once, where the nodes of this process listen, who leads and what to try.
type greeting struct {
	ctx  context.Context // ends with close
	stop context.CancelFunc
	wait sync.WaitGroup
	out  io.Writer
	// scheme is how nodes are asked, and options what curl needs besides.
	scheme, options string
	// host returns the host that clients on this machine ask a node at.
	host func(config.Node) string

	mu    sync.Mutex
	nodes []config.Node
	open  map[string]*service.VersionService
	told  bool
}

func newGreeting(out io.Writer, cfg config.Config) *greeting {
	ctx, stop := context.WithCancel(context.Background())
	host := func(n config.Node) string { return nearHost(cfg.BindHost(n)) }
	return &greeting{ctx: ctx, stop: stop, out: out, scheme: scheme(cfg), options: curlOptions(cfg), host: host, nodes: cfg.LocalNodes(), open: map[string]*service.VersionService{}}
}

// close ends the wait for nodes that never became ready.
func (g *greeting) close() {
	g.stop()
	g.wait.Wait()
}

// opened notes that a node is open, and has the greeting printed as soon as all of them are ready.
func (g *greeting) opened(id string, s *service.VersionService) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[id] = s; len(g.open) == len(g.nodes) {
		g.wait.Go(g.await)
	}
}

// without leaves out a node that could not be started.
func (g *greeting) without(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	kept := g.nodes[:0]
	for _, n := range g.nodes {
		if n.ID != id {
			kept = append(kept, n)
		}
	}
	delete(g.open, id)
	if g.nodes = kept; len(kept) > 0 && len(g.open) == len(kept) {
		g.wait.Go(g.await)
	}
}

func (g *greeting) await() {
	for range group.Every(g.ctx, greetingInterval) {
		if leader, ready := g.ready(); ready {
			g.tell(leader)
			return
		}
	}
}

// ready returns who leads, and reports whether every node is ready.
func (g *greeting) ready() (leader model.Leader, ready bool) {
	g.mu.Lock()
	services := make([]*service.VersionService, 0, len(g.open))
	for _, s := range g.open {
		services = append(services, s)
	}
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(g.ctx, time.Second)
	defer cancel()
	for _, s := range services {
		for _, check := range s.Readiness(ctx) {
			if !check.OK {
				return leader, false
			}
		}
	}
	if len(services) == 0 {
		return leader, false
	}
	leader, err := services[0].Leader(ctx)
	return leader, err == nil
}

func (g *greeting) tell(leader model.Leader) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.told || len(g.nodes) == 0 {
		return
	}
	g.told = true
	fmt.Fprint(g.out, g.text(leader))
}

func (g *greeting) text(leader model.Leader) string {
	var b strings.Builder
	fmt.Fprintf(&b, "versiond %s is ready\n", release)
	for _, n := range g.nodes {
		note := ""
		if n.ID == leader.ID {
			note = "   leads"
		}
		fmt.Fprintf(&b, "  %-8s %s   peers %s%s\n", n.ID, g.at(n), n.Address, note)
	}
	first, last := g.at(g.nodes[0]), g.at(g.nodes[len(g.nodes)-1])
	what := "Write on one node and read on another:"
	if len(g.nodes) == 1 {
		what = "Write a record and read it:"
	}
	fmt.Fprintf(&b, "%s\n"+
		"  curl -i %s/version%s -H 'Content-Type: application/json' -d '{\"id\":\"myapp\",\"versionNo\":\"1.0.0\",\"platform\":\"linux\"}'\n"+
		"  curl -i %s/version/myapp%s\n"+
		"In a browser: %s/, and the API at %s/swagger/index.html\n", what, near(first), g.options, near(last), g.options, first, first)
	return b.String()
}

func (g *greeting) at(n config.Node) string {
	return g.scheme + net.JoinHostPort(g.host(n), strconv.Itoa(n.Port))
}

// near is an address as curl takes it.
func near(url string) string { return strings.TrimPrefix(url, "http://") }

func scheme(cfg config.Config) string {
	if cfg.TLS.CertFile != "" {
		return "https://"
	}
	return "http://"
}

// curlOptions are what curl needs to be let in, with variables for what is secret or somewhere else.
func curlOptions(cfg config.Config) (options string) {
	if cfg.TLS.CertFile != "" {
		options = ` --cacert "$CA"`
	}
	switch {
	case len(cfg.Auth.Tokens) > 0:
		options += ` -H "Authorization: Bearer $TOKEN"`
	case len(cfg.Auth.Certificates) > 0:
		options += ` --cert "$CERT" --key "$KEY"`
	}
	return options
}

// nearHost is what clients on this machine call a host that a node listens on.
func nearHost(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil && (ip.Unmap().IsUnspecified() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		return "localhost"
	}
	return host
}
