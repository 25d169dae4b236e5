// Package network provides each node of a test cluster with a machine of its own, as far as its network
// goes: a Linux network namespace with one address, and a cable to a switch that is part of the test. The
// switch drops, delays and cuts what the test tells it to, in either direction, also on kernels that lack
// netem.
//
// Only traffic between nodes passes through the switch. The test itself reaches a node from within the
// node's namespace (Host.Dial), and so does a node the test's servers (Host.Forward): a node that is cut
// off from the others still has its clients and its database.
//
// Namespaces have no names, and cables end with the process that holds them. So nothing has to be cleaned
// up, also after kill -9, and any number of networks may exist side by side. It takes root.
package network
