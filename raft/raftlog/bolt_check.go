package raftlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"versiond/model"
)

// bbolt does not check its file when it opens it to write, and panics later on what it then finds, in part on
// goroutines of its own, where nobody can catch it. So what is read of the file later is read before, by bbolt itself
// and on this goroutine. How its pages must look is left to bbolt: a check of ours once refused what bbolt had
// written (docs/adr/0013).
//
// Only the two roots are looked at here. bbolt would go on from the older one if the newer one were damaged, and
// forget the last files of the log, or a vote. A root is 64 bytes in one sector, which disks write whole, so one that
// is wrong was not torn by a crash.
const (
	boltMagic      = 0xED0CDAED
	boltRootAt     = 16 // in its page
	boltRootBytes  = 64
	boltRootSummed = 56
	// boltStableBucket is what raft-boltdb calls that of term and vote.
	boltStableBucket = "conf"
)

// loadBolt hands a file of bbolt to read, which reads what the program will need of it; it does nothing for a file that
// is missing or empty. An error matches model.ErrCorrupt when the file is damaged.
func loadBolt(path string, read func(*bbolt.Tx) error) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err := errors.Join(err, checkRoots(path)); err != nil {
		return err
	}
	return CatchFault(func() error {
		db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			return errors.Join(tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return checkBucket(tx, name, b) }), read(tx))
		})
	})
}

// checkBucket wants a bucket to begin in the file: bbolt goes there on a goroutine of its own.
func checkBucket(tx *bbolt.Tx, name []byte, b *bbolt.Bucket) error {
	if int64(b.Root()) >= tx.Size()/int64(tx.DB().Info().PageSize) {
		return fmt.Errorf("%w: %q begins behind the end of the file", model.ErrCorrupt, name)
	}
	return nil
}

// readStable reads all values of term and vote. raft-boltdb has a bucket of entries besides, which is empty and never
// read.
func readStable(tx *bbolt.Tx) error {
	if b := tx.Bucket([]byte(boltStableBucket)); b != nil {
		return b.ForEach(func(key, value []byte) error {
			_, err := withoutSum(key, value)
			return err
		})
	}
	return nil
}

// checkRoots wants both roots to be whole, and the file to hold every page that they speak of.
func checkRoots(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	pageBytes := int64(0)
	for page := range int64(2) {
		root, err := readRoot(file, page, pageBytes)
		if err != nil {
			return err
		}
		pageBytes = int64(binary.NativeEndian.Uint32(root[8:])) // the file may come from a machine with other pages
		if pages := binary.NativeEndian.Uint64(root[40:]); pageBytes == 0 || pages > uint64(info.Size()/pageBytes) {
			return fmt.Errorf("%w: %s is cut off", model.ErrCorrupt, info.Name())
		}
	}
	return nil
}

// readRoot returns the root on a page.
func readRoot(file *os.File, page, pageBytes int64) ([]byte, error) {
	root := make([]byte, boltRootBytes)
	if _, err := file.ReadAt(root, page*pageBytes+boltRootAt); err != nil {
		return nil, fmt.Errorf("%w: root %d cannot be read: %w", model.ErrCorrupt, page, err)
	}
	sum := fnv.New64a()
	_, _ = sum.Write(root[:boltRootSummed]) // a hash never fails
	if binary.NativeEndian.Uint32(root) != boltMagic || binary.NativeEndian.Uint64(root[boltRootSummed:]) != sum.Sum64() {
		return nil, fmt.Errorf("%w: root %d is not what was written", model.ErrCorrupt, page)
	}
	return root, nil
}
