package client

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

const (
	// backupBegin is how a backup begins. It ends in a SHA-256 of all before that.
	backupBegin = "versiond backup 1\n"
	// backupPiece is how much of it is in memory at once.
	backupPiece = 64 << 10
)

// errNoBackup means that something is no backup, or not all of one, or damaged.
var errNoBackup = errors.New("no whole and undamaged backup")

// copyBackup hands on a backup while it checks it. Of what is none it hands on nothing.
func copyBackup(to io.Writer, from io.Reader) error {
	in := bufio.NewReaderSize(from, backupPiece)
	begin, err := in.Peek(len(backupBegin))
	switch {
	case string(begin) == backupBegin:
	case err != nil && !errors.Is(err, io.EOF):
		return err
	default:
		return fmt.Errorf("%w: it begins with %q", errNoBackup, begin)
	}
	check := &checksum{of: sha256.New()}
	if _, err := io.Copy(io.MultiWriter(to, check), in); err != nil {
		return err
	}
	if !check.holds() {
		return fmt.Errorf("%w: its checksum differs", errNoBackup)
	}
	return nil
}

// checksum sums what is written to it, but for the last bytes, which say what the sum should be.
type checksum struct {
	of   hash.Hash
	last []byte
}

func (c *checksum) Write(p []byte) (int, error) {
	c.last = append(c.last, p...)
	if before := len(c.last) - c.of.Size(); before > 0 {
		c.of.Write(c.last[:before])
		c.last = append(c.last[:0], c.last[before:]...)
	}
	return len(p), nil
}

func (c *checksum) holds() bool { return bytes.Equal(c.last, c.of.Sum(nil)) }
