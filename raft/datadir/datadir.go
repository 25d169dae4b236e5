// Package datadir holds the locked data directory of a node: whose it is, where its parts lie, and whether it is still there.
package datadir

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/gofrs/flock"

	"versiond/model"
)

// What lies in a data directory.
const (
	LockFile     = "lock"
	IdentityFile = "identity.json"
	StableFile   = "raft.db" // Raft's term and vote
	LogFolder    = "log"
	// SnapshotsFolder is what hashicorp/raft calls it.
	SnapshotsFolder = "snapshots"
)

// Dir is a node's locked data directory: identity, Raft log and snapshots live in it.
type Dir struct {
	path  string
	lock  *flock.Flock
	fresh bool // the identity was made up by this process and may not be on disk yet

	changing sync.Mutex
	mu       sync.RWMutex
	note     Note
}

// Note is the content of identity.json.
type Note struct {
	model.Identity
	Replica bool `json:"replica,omitempty"`
	// Former are the clusters that this one was recovered from, the newest last.
	Former []string `json:"formerClusters,omitempty"`
	// StoreMade is set before the first store of this directory is made, or once it was seen that there is one: what
	// stands in the tables' place before that is somebody else's.
	StoreMade bool `json:"storeMade,omitempty"`
	// Recovery is set while a recovery is under way, and stays when it is broken off.
	Recovery *Mark `json:"recovery,omitempty"`
}

// Membership is which cluster a node belongs to, and how.
type Membership struct {
	Cluster string
	// Former are the clusters that it was recovered from.
	Former []string
	// Replica is set on a node that never wants a vote.
	Replica bool
}

// Open locks the directory for this process and reads whose it is, making both when they are
// new. The error names the process that holds the directory, or matches model.ErrForeignStore when
// it belongs to another node. A directory in which a recovery was broken off is not opened.
func Open(path, node string) (*Dir, error) {
	if err := makeDir(path); err != nil {
		return nil, fmt.Errorf("data directory of %s (--data-dir): %w", node, err)
	}
	d, err := OpenMarked(path, node)
	if err != nil {
		return nil, err
	}
	if mark := d.Noted().Recovery; mark != nil {
		return nil, errors.Join(mark.BrokenOff(path, node), d.Close())
	}
	if d.fresh {
		if err := d.save(d.Noted()); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// makeDir makes the directory. A link to nowhere in its path would be reported as a file that exists.
func makeDir(path string) error {
	var missing []string
	for at := path; !isThere(at) && at != filepath.Dir(at); at = filepath.Dir(at) {
		missing = append(missing, at)
	}
	err := os.MkdirAll(path, 0o750)
	for i := 0; i < len(missing) && err == nil; i++ {
		err = SyncParent(missing[i]) // or a power cut takes it, with all that is synced in it
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
		if target, isLink := os.Readlink(at); isLink == nil {
			return fmt.Errorf("%s is a symbolic link to %s, which is not there: make that directory, or mend the link (is a disk not mounted?)", at, target)
		}
	}
	return err
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// OpenMarked is Open for a recovery, which may go on where one was broken off. It writes no identity yet where there is none.
func OpenMarked(path, node string) (*Dir, error) {
	lock, err := lockDir(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, lock: lock}
	if err := d.readIdentity(node); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func lockDir(path string) (*flock.Flock, error) {
	file := filepath.Join(path, LockFile)
	lock := flock.New(file)
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", file, err)
	}
	if !locked {
		return nil, fmt.Errorf("data directory %s is in use by process %s: stop it, or start with another --data-dir", path, lockHolder(file))
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o640); err != nil {
		return nil, errors.Join(fmt.Errorf("note the process in %s: %w", file, err), lock.Unlock())
	}
	return lock, nil
}

func lockHolder(file string) string {
	pid, err := os.ReadFile(file)
	if err != nil || len(pid) == 0 {
		return "(unknown)"
	}
	return strings.TrimSpace(string(pid))
}

func (d *Dir) readIdentity(node string) error {
	data, err := os.ReadFile(d.File(IdentityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return d.newIdentity(node)
	}
	if err != nil {
		return fmt.Errorf("read whose data directory this is: %w", err)
	}
	if err := json.Unmarshal(data, &d.note); err != nil {
		return fmt.Errorf("%w: %s: %w", model.ErrCorrupt, d.File(IdentityFile), err)
	}
	if d.note.Node != node {
		return fmt.Errorf("%w: data directory %s is that of node %q, but this is node %q: start %s with its own directory",
			model.ErrForeignStore, d.path, d.note.Node, node, node)
	}
	return nil
}

func (d *Dir) newIdentity(node string) error {
	if left := d.leftover(); left != "" {
		return fmt.Errorf("%w: %s holds the %s of a node but no %s: put the file back; where it is lost, %s",
			model.ErrCorrupt, d.path, left, IdentityFile, model.RejoinAdvice)
	}
	d.note, d.fresh = Note{Identity: model.Identity{Node: node, Store: rand.Text()}}, true
	return nil
}

// leftover names what a node that was here has left, "" when there is nothing: one that ran while its directory was
// removed may have written a part of it again.
func (d *Dir) leftover() string {
	if _, err := os.Stat(d.File(StableFile)); err == nil {
		return StableFile
	}
	for _, name := range []string{LogFolder, SnapshotsFolder} {
		if entries, err := os.ReadDir(d.File(name)); err == nil && len(entries) > 0 {
			return name
		}
	}
	return ""
}

// SetCluster notes that the node belongs to a cluster, and as what. It is on disk when SetCluster
// returns.
func (d *Dir) SetCluster(m Membership) error {
	return d.change(func(noted *Note) {
		noted.Cluster, noted.Former, noted.Replica = m.Cluster, m.Former, m.Replica
	})
}

// NoteStoreMade notes that the store of this directory was made once. It is on disk when NoteStoreMade returns.
func (d *Dir) NoteStoreMade() error {
	if d.Noted().StoreMade {
		return nil
	}
	return d.change(func(noted *Note) { noted.StoreMade = true })
}

// change is for those of several goroutines: none undoes what another notes.
func (d *Dir) change(edit func(*Note)) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	next := d.Noted()
	edit(&next)
	return d.save(next)
}

func (d *Dir) save(next Note) error {
	data, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFileDurably(d.File(IdentityFile), append(data, '\n')); err != nil {
		return fmt.Errorf("note whose data directory this is: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.note = next
	return nil
}

// writeFileDurably replaces a file so that a crash leaves either the old or the new content.
func writeFileDurably(path string, data []byte) error {
	next, err := os.Create(path + ".next")
	if err != nil {
		return err
	}
	_, err = next.Write(data)
	if err = errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".next", path); err != nil {
		return err
	}
	return Sync(filepath.Dir(path))
}

// Sync puts on disk which names a folder has.
func Sync(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// SyncParent makes the name of a file or directory last. Where its directory may be written to and not read, nobody can.
func SyncParent(path string) error {
	err := Sync(filepath.Dir(path))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// Noted returns what is noted in the directory.
func (d *Dir) Noted() Note {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.note
}

// Identity returns whose the directory is.
func (d *Dir) Identity() model.Identity { return d.Noted().Identity }

// Former returns the clusters that this one was recovered from.
func (d *Dir) Former() []string { return d.Noted().Former }

// Path returns where the directory is, as it was given.
func (d *Dir) Path() string { return d.path }

// File returns the path of a file or folder of the directory.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

// Close releases the lock. The lock file stays: removing it would let two processes lock two files
// of the same name.
func (d *Dir) Close() error {
	if d.lock == nil {
		return nil // it was only looked whether the directory is there
	}
	return d.lock.Unlock()
}
