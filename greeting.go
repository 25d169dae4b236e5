package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"versiond/config"
	"versiond/model"
	"versiond/service"
)

const greetingInterval = 100 * time.Millisecond

// greeting tells, once, where the nodes of this process listen, who leads and what to try.
type greeting struct {
	ctx  context.Context // ends with close
	stop context.CancelFunc
	wait sync.WaitGroup
	out  io.Writer
	// guarded is set when requests need a token.
	guarded bool

	mu    sync.Mutex
	nodes []config.Node
	open  map[string]*service.VersionService
	told  bool
}

func newGreeting(out io.Writer, nodes []config.Node, guarded bool) *greeting {
	ctx, stop := context.WithCancel(context.Background())
	return &greeting{ctx: ctx, stop: stop, out: out, guarded: guarded, nodes: slices.Clone(nodes), open: map[string]*service.VersionService{}}
}

// close ends the wait for nodes that never became ready.
func (g *greeting) close() {
	g.stop()
	g.wait.Wait()
}

// opened notes that a node is open, and tells as soon as all of them are ready.
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
	ticker := time.NewTicker(greetingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-g.ctx.Done():
			return
		}
		if leader, ready := g.ready(); ready {
			g.tell(leader)
			return
		}
	}
}

// ready says who leads once every node is ready.
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
		fmt.Fprintf(&b, "  %-8s http://%s   peers %s%s\n", n.ID, "localhost:"+strconv.Itoa(n.Port), n.Address, note)
	}
	token := ""
	if g.guarded {
		token = ` -H "Authorization: Bearer $TOKEN"`
	}
	first, last := g.nodes[0].Port, g.nodes[len(g.nodes)-1].Port
	fmt.Fprintf(&b, "Write on one node and read on another:\n"+
		"  curl -i localhost:%d/version%s -H 'Content-Type: application/json' -d '{\"id\":\"myapp\",\"versionNo\":\"1.0.0\",\"platform\":\"linux\"}'\n"+
		"  curl -i localhost:%d/version/myapp%s\n"+
		"The API is described at http://localhost:%d/swagger/index.html\n", first, token, last, token, first)
	return b.String()
}
