package service

import (
	"errors"
	"time"

	"versiond/model"
)

// secretWarningInterval paces the warning below: nodes ask each other several times a second.
const secretWarningInterval = time.Minute

// warnOfSecret tells the operator, now and then, when err says that another node does not take this
// node's cluster secret. Everywhere else such a node looks like one that does not answer.
func (s *VersionService) warnOfSecret(err error) {
	if !errors.Is(err, model.ErrSecretsDiffer) {
		return
	}
	last, now := s.warnedOfSecret.Load(), time.Now()
	if last != nil && now.Sub(*last) < secretWarningInterval || !s.warnedOfSecret.CompareAndSwap(last, &now) {
		return
	}
	s.log.Warn("another node does not take this node's cluster secret; give all nodes of the cluster the same one", "err", err)
}
