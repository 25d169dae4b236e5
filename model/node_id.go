package model

import "regexp"

var nodeID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

// ValidNodeID says whether a node may have this id: it names directories, databases and URLs.
func ValidNodeID(id string) bool { return nodeID.MatchString(id) }
