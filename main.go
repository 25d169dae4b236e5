// Command versiond keeps version records on several nodes that agree by Raft.
//
// Without a configuration it runs three nodes in one process on embedded storage.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"versiond/cli"
	"versiond/config"
	"versiond/group"
	"versiond/logs"
	"versiond/raft"
	"versiond/server"
	"versiond/service"
)

// release is the version of the program.
const release = "0.1.0"

func main() {
	program := cli.Program{Release: release, Start: startNodes, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(program.Run(os.Args[1:]))
}

// startNodes runs every configured node of this process side by side until the context ends. A node
// that ends leaves the others running; the error tells why the first ones that failed did.
func startNodes(ctx context.Context, cfg config.Config, anew <-chan config.Config, log *slog.Logger, stdout io.Writer) error {
	nodes := cfg.LocalNodes()
	warnOfOpenPorts(cfg, log)
	settings := newSettings(cfg)
	ended := make([]error, len(nodes))
	server.WarnOfFewFiles(len(nodes), log)
	greeting := newGreeting(stdout, cfg)
	defer greeting.close()
	var wg, following sync.WaitGroup
	defer following.Wait()
	whole, stop := context.WithCancel(ctx)
	defer stop()
	go keepHeapRoom(whole)
	following.Go(func() { settings.follow(whole, anew) })
	stopping := make(chan struct{})
	goOn := context.AfterFunc(ctx, func() { log.Info("stopping; requests under way are finished first"); close(stopping) })
	for i, node := range nodes {
		wg.Go(func() {
			log := log.With("node", node.ID)
			if ended[i] = keepNode(ctx, settings, node, log, greeting); ended[i] != nil {
				greeting.without(node.ID)
				log.Error("this node has ended", "err", ended[i])
			}
		})
	}
	wg.Wait()
	err := errors.Join(ended...)
	if !goOn() {
		<-stopping
		log.Info("stopped")
	}
	return err
}

// keepNode runs one node, and opens it again where that is all it needs.
func keepNode(ctx context.Context, settings *settings, node config.Node, log *slog.Logger, greeting *greeting) error {
	for {
		err := startNode(ctx, settings, node, log, greeting)
		if !errors.Is(err, raft.ErrTransferStuck) || ctx.Err() != nil {
			return err
		}
		log.Warn("this node is started again", "err", err)
	}
}

// startNode runs one node until the context ends, or until it cannot go on: stores, DAOs, services,
// controllers, routes, servers.
func startNode(ctx context.Context, settings *settings, node config.Node, log *slog.Logger, greeting *greeting) (err error) {
	var parts closers
	defer func() { err = errors.Join(err, parts.close()) }()
	cfg := settings.now()
	n, err := openNode(cfg, node, log, &parts)
	if err != nil {
		return fmt.Errorf("%s: %w", node.ID, err)
	}
	defer settings.govern(n)()
	greeting.opened(node.ID, n.service)

	// The service outlives the servers, so that requests can be drained.
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	wg.Go(func() { stop(n.service.Run(running)) })
	wg.Go(func() { n.followCertificates(running) })
	wg.Go(func() { startPeriodicSync(running, n.service, cfg.Server.ReloadInterval, log) })

	serving := n.serve(stop)
	select {
	case <-ctx.Done():
		n.drain(len(cfg.LocalNodes()) == 1)
	case <-running.Done():
		err = context.Cause(running)
		n.drain(!errors.Is(err, raft.ErrTransferStuck)) // the lead cannot be handed over once more
	}
	serving.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// startPeriodicSync checks what the database holds and brings Redis to it, again and again until the
// context ends.
func startPeriodicSync(ctx context.Context, s *service.VersionService, interval time.Duration, log *slog.Logger) {
	calm := logs.Calm(log)
	for range group.Every(ctx, interval) {
		if err := s.ReLoadCacheDataInternal(ctx); err != nil && ctx.Err() == nil {
			calm.Warn("the records could not be checked, or Redis could not be reloaded; trying again", "after", interval, "err", err)
		}
	}
}
