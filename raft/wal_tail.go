package raft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"

	"versiond/model"
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

// checkTail says what is wrong with the newest file of a write-ahead log, with an error that matches
// model.ErrCorrupt.
func checkTail(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.wal"))
	if err != nil || len(files) == 0 {
		return err
	}
	newest := slices.Max(files) // they are named after their first index
	data, err := os.ReadFile(newest)
	used := len(bytes.TrimRight(data, "\x00"))
	if err != nil || used == 0 {
		return err // nothing was written to it yet; on a full disk it may not have got its size either
	}
	if len(data) < stretchSegmentBytes {
		return fmt.Errorf("%w: %s is cut off", model.ErrCorrupt, filepath.Base(newest))
	}
	end := walkAppends(data)
	if behind := min(used+walFrame, len(data)); end < behind && hasAppend(data[end:behind]) {
		return fmt.Errorf("%w: %s is damaged behind byte %d", model.ErrCorrupt, filepath.Base(newest), end)
	}
	return nil
}

// walkAppends gives where the last of the appends ends that are whole from the beginning on.
func walkAppends(data []byte) (end int) {
	begin, first := 0, walHeader
	for {
		next, whole := appendAt(data, begin, first)
		if !whole {
			return begin
		}
		begin, first = next, next
	}
}

// hasAppend says whether there is a whole append anywhere in data.
func hasAppend(data []byte) bool {
	for at := 0; at < len(data); at += walFrame {
		if _, whole := appendAt(data, at, at); whole {
			return true
		}
	}
	return false
}

// appendAt says whether a whole append begins at begin, with its first frame at first, and where it ends.
func appendAt(data []byte, begin, first int) (end int, whole bool) {
	for at := first; at+walFrame <= len(data); {
		kind, value := data[at], binary.LittleEndian.Uint32(data[at+4:])
		switch {
		case kind == walCommit:
			sum := crc32.Checksum(data[begin:at], castagnoli)
			return at + walFrame, at > begin && sum == value
		case kind != walEntry && kind != walIndex, value > walEntryBytes:
			return 0, false
		}
		at += walFrame + (int(value)+walFrame-1)/walFrame*walFrame
	}
	return 0, false
}
