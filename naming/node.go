// Package naming has the rules of what settings and requests name alike: nodes, where they are
// reached, and the roles of tokens. It imports nothing of ours, so that every layer may go by the same rules.
package naming

import "regexp"

// NodeIDForm is what ValidNodeID takes.
const NodeIDForm = "[a-z0-9][a-z0-9_-]{0,31}"

var nodeID = regexp.MustCompile("^" + NodeIDForm + "$")

// ValidNodeID reports whether a node may have this id, which becomes a directory, a part of a
// database's name and of URLs.
func ValidNodeID(id string) bool { return nodeID.MatchString(id) }
