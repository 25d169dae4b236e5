package raftlog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
	"go.etcd.io/bbolt"

	"versiond/model"
	"versiond/raft/snapshot"
)

// Raft-wal takes whatever it cannot read at the end of its newest file for an append that a crash has cut
// off, and goes on in front of it. If it is a damaged place instead, whole appends behind it that were
// acknowledged would be forgotten. So that file is looked through before: behind a torn append there is
// nothing, behind a damaged one may be a whole one. Damage that reaches to the very end looks like a torn
// append to everybody. The format is that of raft-wal's package segment; entries have sums of their own besides
// (entry_sum.go).
const (
	walHeader     = 32 // bytes in front of the first frame, part of the first append
	walFrame      = 8  // bytes of a frame's head; frames begin at multiples of it
	walEntry      = 1
	walIndex      = 2
	walCommit     = 3 // its head ends with the CRC of the append
	walEntryBytes = 64 << 20
)

// checkTail reports what is wrong with the newest file of the write-ahead log in dir, with an error that matches
// model.ErrCorrupt.
func checkTail(dir string) error {
	tail, err := newestSegment(dir)
	if err != nil || tail.BaseIndex == 0 {
		return err
	}
	file := filepath.Join(dir, segment.FileName(tail))
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // raft-wal notes a file before it makes it
	}
	if err != nil {
		return err
	}
	used := len(bytes.TrimRight(data, "\x00"))
	switch short := len(data) < int(tail.SizeLimit); {
	case used == 0 && short: // the disk was full when it was made; its size is to tell from now on whether it was cut off
		return os.Truncate(file, int64(tail.SizeLimit))
	case used == 0:
		return nil
	case short:
		return fmt.Errorf("%w: %s is cut off", model.ErrCorrupt, filepath.Base(file))
	}
	appended := walkAppends(data)
	behind := min(used+walFrame, len(data))
	if appended.end < behind && hasAppend(data[appended.end:behind]) {
		return fmt.Errorf("%w: %s is damaged behind byte %d", model.ErrCorrupt, filepath.Base(file), appended.end)
	}
	if appended.index > 0 {
		return endTail(dir, appended)
	}
	return cutTorn(file, data[:behind], appended.end)
}

// endTail notes that the newest file is ended, and which one comes next. Raft-wal does so by itself, but aside, and
// where it was killed before, or failed, it refuses every write from then on, also after a restart.
func endTail(dir string, appended walAppends) error {
	var meta metadb.BoltMetaDB
	state, err := meta.Load(dir)
	if err == nil {
		tail := &state.Segments[len(state.Segments)-1]
		tail.SealTime, tail.IndexStart, tail.MaxIndex = time.Now(), uint64(appended.index), tail.BaseIndex+appended.entries-1
		next := types.SegmentInfo{
			ID: state.NextSegmentID, BaseIndex: tail.MaxIndex + 1, MinIndex: tail.MaxIndex + 1,
			SizeLimit: tail.SizeLimit, Codec: tail.Codec, CreateTime: tail.SealTime,
		}
		state.NextSegmentID++
		state.Segments = append(state.Segments, next)
		err = meta.CommitState(state)
	}
	return errors.Join(err, meta.Close())
}

// cutTorn cuts off a torn append that was to end the file: raft-wal would take the file for ended.
func cutTorn(path string, data []byte, end int) error {
	if !indexBegins(data, end) {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(make([]byte, len(data)-end), int64(end))
	return errors.Join(err, file.Sync(), file.Close())
}

// indexBegins reports whether raft-wal finds the index of a file behind its last whole append.
func indexBegins(data []byte, at int) bool {
	if at == 0 {
		at = walHeader
	}
	for at+walFrame <= len(data) {
		kind, value := data[at], binary.LittleEndian.Uint32(data[at+4:])
		if kind != walEntry || value > walEntryBytes {
			return kind == walIndex
		}
		at += walFrameBytes(value)
	}
	return false
}

// newestSegment returns what raft-wal has noted of the file that it writes to, which begins with index 0 when there is
// none. The names of files do not tell: a crash may leave one that counts no more.
func newestSegment(dir string) (tail types.SegmentInfo, err error) {
	err = loadBolt(filepath.Join(dir, metadb.FileName), func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(metadb.MetaBucket))
		if bucket == nil {
			return fmt.Errorf("%w: %s has no list of files", model.ErrCorrupt, metadb.FileName)
		}
		noted := bucket.Get([]byte(metadb.MetaKey))
		if noted == nil {
			return nil // it was killed before it noted its first file
		}
		var state types.PersistentState
		if err := json.Unmarshal(noted, &state); err != nil {
			return fmt.Errorf("%w: %s: %w", model.ErrCorrupt, metadb.FileName, err)
		}
		if n := len(state.Segments); n > 0 && state.Segments[n-1].SealTime.IsZero() {
			tail = state.Segments[n-1]
		}
		return nil
	})
	return tail, err
}

// walAppends are one append or more.
type walAppends struct {
	end     int    // where the last of them ends
	entries uint64 // that they hold
	index   int    // where the index of the file begins; 0 when it is not ended
}

// walkAppends returns the appends that are whole from the beginning on.
func walkAppends(data []byte) (all walAppends) {
	first := walHeader
	for {
		next, whole := appendAt(data, all.end, first)
		if !whole {
			return all
		}
		all = walAppends{end: next.end, entries: all.entries + next.entries, index: max(all.index, next.index)}
		first = all.end
	}
}

// hasAppend reports whether there is a whole append anywhere in data.
func hasAppend(data []byte) bool {
	for at := 0; at < len(data); at += walFrame {
		if _, whole := appendAt(data, at, at); whole {
			return true
		}
	}
	return false
}

// appendAt returns the append that begins at begin, with its first frame at first, if it is whole.
func appendAt(data []byte, begin, first int) (found walAppends, whole bool) {
	for at := first; at+walFrame <= len(data); {
		kind, value := data[at], binary.LittleEndian.Uint32(data[at+4:])
		switch {
		case kind == walCommit:
			sum := crc32.Checksum(data[begin:at], snapshot.Castagnoli)
			found.end = at + walFrame
			return found, at > begin && sum == value
		case kind != walEntry && kind != walIndex, value > walEntryBytes:
			return found, false
		case kind == walIndex:
			found.index = at + walFrame
		default:
			found.entries++
		}
		at += walFrameBytes(value)
	}
	return found, false
}

// walFrameBytes is how long a frame is with its head.
func walFrameBytes(value uint32) int { return walFrame + (int(value)+walFrame-1)/walFrame*walFrame }
