package main

import (
	"log/slog"

	"versiond/certs"
	"versiond/config"
	"versiond/raft/transport"
)

// readCertificates opens the certificates of the ports that speak TLS.
func (n *runningNode) readCertificates(cfg config.Config, node config.Node, log *slog.Logger) (err error) {
	if cfg.TLS.CertFile != "" {
		if n.tls, err = certs.OpenPublic(certs.PublicFiles(cfg.TLS.CertFile, cfg.TLS.KeyFile, cfg.TLS.ClientCAFile), log); err != nil {
			return err
		}
		n.metrics.WatchCertificate("public", n.tls.Until)
	}
	if cfg.Cluster.CertFile != "" {
		if n.peerTLS, err = certs.OpenPeer(certs.PeerFiles(cfg.Cluster.CertFile, cfg.Cluster.KeyFile, cfg.Cluster.CAFile), node.Address, log); err != nil {
			return err
		}
		n.metrics.WatchCertificate("peer", n.peerTLS.Until)
	}
	return nil
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
