// Package kubernetes tries deploy/kubernetes without a Kubernetes: three processes with just the variables, names and
// addresses that pods would have.
package kubernetes
