package model

import "time"

// BackupBytesMax bounds a backup that can be restored: all of it passes through the Raft log, which keeps
// it until every record is loaded.
const BackupBytesMax = 1 << 30

// RestoreChunkBytesMax bounds the part of a backup that one log entry holds.
const RestoreChunkBytesMax = 256 << 10

// RestoreStep is a log entry of a restore. A restore is named by the index of the entry that began it.
type RestoreStep struct {
	Type CommandType
	// Begin is the index of the entry that began the restore; 0 in that entry itself.
	Begin uint64
	// Records, Bytes and Checksum (CRC-32C) are what all chunks have to make up together, and Foreign gives
	// the records new revisions: only in the entry that begins a restore.
	Records  uint64
	Bytes    uint64
	Checksum uint32
	Foreign  bool
	// Data is the next part of the backup: only in a chunk.
	Data []byte
}

// RestoreOptions set how a backup is to be restored.
type RestoreOptions struct {
	// Foreign allows a backup of another cluster.
	Foreign bool
	// Timeout bounds what follows once the backup is received.
	Timeout time.Duration
}

// Restored is what a restore has done.
type Restored struct {
	// Records is how many records there are now.
	Records uint64 `json:"records"`
	// Index is the log index from which on they are what the cluster holds.
	Index uint64 `json:"index"`
}
