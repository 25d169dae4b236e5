// Package measure runs replicated stores as real processes on this machine and measures what they do
// under a closed loop of clients: throughput, latency, the servers' CPU time and their memory. The
// commands test/bench and test/scale are made of it.
//
// The clients are written for it, one kept connection each: on a machine that servers and clients
// share, what a client costs is taken from the server. What every system is asked goes the same way,
// one request written and one answer read, HTTP/1.1 for versiond and gRPC for etcd.
package measure
