//go:build !linux

package network

import "os"

// namespace is what only Linux has.
type namespace struct{ *os.File }

func currentNamespace() (namespace, error) { return namespace{}, ErrImpossible }

func (h *Host) plugIn() error { return ErrImpossible }

// Enter fails: only Linux has network namespaces.
func (h *Host) Enter() error { return ErrImpossible }

func (h *Host) within(func() error) error { return ErrImpossible }
