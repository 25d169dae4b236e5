package naming

import "slices"

// Role is what the holder of a token may do. Each role may do what the one before it may.
type Role string

// The roles, from the least to the most.
const (
	// RoleRead reads records and asks how the cluster does.
	RoleRead Role = "read"
	// RoleWrite changes records as well.
	RoleWrite Role = "write"
	// RoleAdmin changes the cluster as well.
	RoleAdmin Role = "admin"
)

var roles = []Role{RoleRead, RoleWrite, RoleAdmin}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return slices.Contains(roles, r) }

// May reports whether r may do what needs another role. What is no role may do nothing.
func (r Role) May(needed Role) bool { return slices.Index(roles, r) >= slices.Index(roles, needed) }
