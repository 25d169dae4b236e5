package raft

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft"

	"versiond/model"
)

// The log store keeps no checksums, and a bit that flips in an entry would become another record on this
// node, and on others if it leads. So each entry that is stored has a CRC-32C at the end of its
// extensions, which nothing else uses here. It stays on this node: what is read has it no more.
// Entries of older releases have none.
const (
	entrySumMark = "crc1"
	entrySumLen  = len(entrySumMark) + 4
)

// withSums gives copies of entries as they are stored.
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
		if log.Index != index {
			return fmt.Errorf("%w: it says that it is entry %d", model.ErrCorrupt, log.Index)
		}
		return nil
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

func entrySum(log *raft.Log) uint32 {
	head := binary.BigEndian.AppendUint64(nil, log.Index)
	head = append(binary.BigEndian.AppendUint64(head, log.Term), byte(log.Type))
	sum := crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, log.Data)
	return crc32.Update(sum, castagnoli, log.Extensions)
}
