package snapshot

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"versiond/model"
)

// A backup is the magic, a line of JSON that says what it is of, the records in the form of a
// snapshot, and a SHA-256 of all before it. The checksum stands at the end, so that a download that
// was cut off is noticed, and covers the first bytes too.
const (
	backupMagic       = "versiond backup 1\n"
	backupHeaderMax   = 4096
	backupChecksumLen = sha256.Size
)

// BackupHeader describes what a backup is of.
type BackupHeader struct {
	Cluster string `json:"cluster"`
	// Index and Term are the place in the cluster's log that the records are of.
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	// Time is when the backup was begun, by the clock of the node that made it.
	Time time.Time `json:"time"`
}

// WriteBackup writes a backup of what view shows. It holds one page of records at a time.
func WriteBackup(ctx context.Context, w io.Writer, header BackupHeader, view View) error {
	sum := sha256.New()
	summed := io.MultiWriter(w, sum)
	line, err := json.Marshal(header)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(summed, "%s%s\n", backupMagic, line); err != nil {
		return err
	}
	if err := Write(ctx, summed, view); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// readBackupHeader reads the magic and the header, and returns how long they are.
func readBackupHeader(r io.Reader) (header BackupHeader, length int64, err error) {
	buffered := bufio.NewReader(io.LimitReader(r, backupHeaderMax))
	magic, _ := buffered.ReadString('\n') // what is missing shows in what was read
	if magic != backupMagic {
		return header, 0, fmt.Errorf("%w: it does not begin with %q", model.ErrCorrupt, strings.TrimSpace(backupMagic))
	}
	line, err := buffered.ReadBytes('\n')
	if err != nil {
		return header, 0, fmt.Errorf("%w: its header has no end", model.ErrCorrupt)
	}
	if err := json.Unmarshal(line, &header); err != nil || header.Cluster == "" {
		return header, 0, fmt.Errorf("%w: its header names no cluster", model.ErrCorrupt)
	}
	return header, int64(len(magic) + len(line)), nil
}
