package datadir

import (
	"fmt"
	"slices"
)

// Source is what a cluster is recovered from.
type Source string

// The sources of a recovery.
const (
	// FromLog is a data directory that was left over.
	FromLog Source = "log"
	// FromDatabase is a database that was kept while every data directory is gone.
	FromDatabase Source = "database"
)

// Mark stands in identity.json from before the first change of the Raft state until after
// the last one. In between the directory is of use to nobody but another recovery, which goes on with
// the same cluster ID, and to whom the backup is the one that the first one made.
type Mark struct {
	From   Source `json:"from"`
	Backup string `json:"backup"`
}

// BrokenOff returns an error that says how to go on with the recovery, or how to undo it.
func (m *Mark) BrokenOff(path, node string) error {
	flag := ""
	if m.From == FromDatabase {
		flag = "--from-database "
	}
	return fmt.Errorf("a recovery was broken off in %s: run versiond recover %s--node %s --yes again, or put back the backup %s", path, flag, node, m.Backup)
}

// Unmade returns a directory that is not there, to show what would become of it. Nothing is written or locked.
func Unmade(path, node string) (*Dir, error) {
	d := &Dir{path: path}
	return d, d.newIdentity(node)
}

// BeginRecovery notes the new cluster and that a recovery is under way; from then on no node starts on
// the directory.
func (d *Dir) BeginRecovery(cluster, former string, mark Mark) error {
	noted := d.Noted()
	if noted.Recovery != nil {
		return nil // it goes on, as the cluster that was noted then
	}
	noted.Cluster, noted.Replica, noted.Recovery = cluster, false, &mark
	noted.Former = append(slices.Clone(noted.Former), former)
	return d.save(noted)
}

// EndRecovery lets nodes start on the directory again.
func (d *Dir) EndRecovery() error {
	noted := d.Noted()
	noted.Recovery = nil
	return d.save(noted)
}
