package main

import (
	"testing"
	"time"

	"versiond/test/harness/authority"
)

// Who has asked for certificates on a network that is away, which nothing ever reads to their end, still has to be able to
// stop the nodes: their directories are given back, and Raft is shut down.
func TestCertificatesThatDoNotAnswerKeepNobodyFromStopping(t *testing.T) {
	cfg, ca, files := secured(t, 1)
	s := start(t, cfg)
	trusting(ca, authority.Load(t, ca.Client(t, "ops", time.Now()))).mustBeReady(t, cfg.Raft.Nodes)
	authority.Hang(t, files.Cert)
	s.anew <- cfg
	s.mustStop(t)
}
