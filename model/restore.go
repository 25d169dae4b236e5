package model

import "time"

// RestoreOptions says how a backup is to be restored.
type RestoreOptions struct {
	// Foreign allows a backup of another cluster.
	Foreign bool
	// Timeout bounds what follows once the backup is received.
	Timeout time.Duration
}

// Restored says what a restore has done.
type Restored struct {
	// Records is how many records there are now.
	Records uint64 `json:"records" example:"2100"`
	// Index is the log index from which on they are what the cluster holds.
	Index uint64 `json:"index" example:"1042"`
}
