package main

import (
	"context"
	"log/slog"
	"time"

	"versiond/certs"
	"versiond/config"
	"versiond/group"
	"versiond/raft/transport"
)

// certificatesInterval is how often it is looked whether the files of the certificates have changed.
const certificatesInterval = 5 * time.Second

// readCertificates opens the certificates of the ports that speak TLS.
func (n *runningNode) readCertificates(cfg config.Config, node config.Node, log *slog.Logger) (err error) {
	public, peer := cfg.TLS, cfg.Cluster
	if n.tls, err = certs.OpenPublic(certs.PublicFiles(public.CertFile, public.KeyFile, public.ClientCAFile), log); err != nil {
		return err
	}
	if n.peerTLS, err = certs.OpenPeer(certs.PeerFiles(peer.CertFile, peer.KeyFile, peer.CAFile), node.Address, log); err != nil {
		return err
	}
	n.watchCertificates()
	return nil
}

// watchCertificates has the metrics say how long they still count.
func (n *runningNode) watchCertificates() {
	for port, keeper := range map[string]*certs.Keeper{"public": n.tls, "peer": n.peerTLS} {
		if keeper != nil {
			n.metrics.WatchCertificate(port, keeper.Until)
		}
	}
}

// followCertificates takes over what changes in the files, until the context ends. A handshake does too, but connections that
// stay open, such as those between nodes, need none for days.
func (n *runningNode) followCertificates(ctx context.Context) {
	for range group.Every(ctx, certificatesInterval) {
		n.tls.Look()
		n.peerTLS.Look()
	}
}

// renewCertificates reads the files of the certificates now, changed or not.
func (n *runningNode) renewCertificates() {
	n.tls.Renew()
	n.peerTLS.Renew()
}

// listenPeer opens the peer port.
func (n *runningNode) listenPeer(address string, log *slog.Logger) (*transport.Listener, error) {
	if n.peerTLS == nil {
		return transport.Listen(address)
	}
	return transport.ListenTLS(address, n.peerTLS, log)
}
