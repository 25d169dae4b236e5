// Package disk provides a node of a test cluster with a small disk of its own for its data directory,
// which the test can fill: a tmpfs, which fails as any full disk does. It takes Linux and root.
package disk
