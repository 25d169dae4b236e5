package raftlog

import "github.com/hashicorp/raft"

// cachedLog is a log whose latest entries are read from memory. Only one goroutine at a time stores entries.
type cachedLog struct {
	*raft.LogCache
	last uint64 // the last index that was stored; nothing behind it is cached
}

// StoreLog stores one entry.
func (c *cachedLog) StoreLog(log *raft.Log) error { return c.StoreLogs([]*raft.Log{log}) }

// StoreLogs stores entries. Where they leave a hole, it empties the cache: walLog removes what lies in front of the hole,
// and what the cache still had of it this node would send as leader, though it may never have been committed.
func (c *cachedLog) StoreLogs(logs []*raft.Log) error {
	if len(logs) == 0 {
		return nil
	}
	if logs[0].Index > c.last+1 {
		if err := c.DeleteRange(1, 0); err != nil { // the cache forgets everything, and the log loses nothing
			return err
		}
	}
	err := c.LogCache.StoreLogs(logs)
	if err == nil {
		c.last = logs[len(logs)-1].Index
	}
	return err
}
