package main

import (
	"crypto/tls"
	"log/slog"

	"versiond/certs"
	"versiond/config"
)

// readCertificates opens the certificates of the ports that speak TLS.
func (n *runningNode) readCertificates(cfg config.Config, _ config.Node, log *slog.Logger) (err error) {
	if cfg.TLS.CertFile != "" {
		files := certs.Files{Section: "tls", Cert: cfg.TLS.CertFile, Key: cfg.TLS.KeyFile, CA: cfg.TLS.ClientCAFile, CASetting: "tls.clientCAFile"}
		n.tls, err = certs.OpenPublic(files, log)
	}
	return err
}

// renewCertificates reads the files of the certificates now, changed or not.
func (n *runningNode) renewCertificates() { n.tls.Renew() }

// serving returns how a port is served whose certificates these are.
func serving(k *certs.Keeper) *tls.Config {
	if k == nil {
		return nil
	}
	return k.Server()
}
