package raftlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft/snapshot"
)

// The log store keeps no checksums, and a bit that flips in an entry would become another record on this
// node, and on others if it leads. So each entry that is stored has a CRC-32C at the end of its
// extensions, which nothing else uses here. It stays on this node: what is read has it no more.
// What has none is damaged.
const (
	entrySumMark = "crc1"
	entrySumLen  = len(entrySumMark) + 4
)

// withSums returns copies of entries as they are stored.
func withSums(logs []*raft.Log) []*raft.Log {
	copies, summed := make([]raft.Log, len(logs)), make([]*raft.Log, len(logs))
	for i, log := range logs {
		copies[i], summed[i] = *log, &copies[i]
		extensions := append(bytes.Clone(log.Extensions), entrySumMark...)
		copies[i].Extensions = binary.BigEndian.AppendUint32(extensions, entrySum(log))
	}
	return summed
}

// checkEntry takes the sum off an entry that was read.
func checkEntry(index uint64, log *raft.Log) error {
	at := len(log.Extensions) - entrySumLen
	if at < 0 || string(log.Extensions[at:at+len(entrySumMark)]) != entrySumMark {
		return fmt.Errorf("%w: it has no sum", model.ErrCorrupt)
	}
	sum := binary.BigEndian.Uint32(log.Extensions[at+len(entrySumMark):])
	if log.Extensions = log.Extensions[:at:at]; at == 0 {
		log.Extensions = nil
	}
	if log.Index != index || sum != entrySum(log) {
		return fmt.Errorf("%w: it is not what was written", model.ErrCorrupt)
	}
	return nil
}

// withSum returns a value of the stable store as it is stored: a term or vote that is another one lets a node
// vote twice. raft-boltdb reads a number all the same, by its first 8 bytes.
func withSum(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(append(bytes.Clone(value), entrySumMark...), valueSum(key, value))
}

// withoutSum returns the value.
func withoutSum(key, stored []byte) ([]byte, error) {
	at := len(stored) - entrySumLen
	if at < 0 || string(stored[at:at+len(entrySumMark)]) != entrySumMark {
		return nil, fmt.Errorf("%w: %s has no sum", model.ErrCorrupt, key)
	}
	if binary.BigEndian.Uint32(stored[at+len(entrySumMark):]) != valueSum(key, stored[:at]) {
		return nil, fmt.Errorf("%w: %s is not what was written", model.ErrCorrupt, key)
	}
	return stored[:at], nil
}

func valueSum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, snapshot.Castagnoli), snapshot.Castagnoli, value)
}

func entrySum(log *raft.Log) uint32 {
	head := binary.BigEndian.AppendUint64(nil, log.Index)
	head = append(binary.BigEndian.AppendUint64(head, log.Term), byte(log.Type))
	sum := crc32.Update(crc32.Checksum(head, snapshot.Castagnoli), snapshot.Castagnoli, log.Data)
	return crc32.Update(sum, snapshot.Castagnoli, log.Extensions)
}
