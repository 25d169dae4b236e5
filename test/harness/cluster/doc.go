// Package cluster runs versiond as real processes for system tests: it starts, kills, freezes and
// restarts nodes, talks HTTP to them, reads and damages their stores behind their backs, and compares
// everything that the nodes hold with everything that they answer.
//
// A Cluster belongs to one test and ends with it. Unless a method says otherwise it may be called only
// from the test's own goroutine; clients may be used from any.
package cluster
