package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"time"

	"versiond/raft/snapshot"
	"versiond/test/load/synthetic"
)

// writeBackup writes a backup of a cluster that never was.
func writeBackup(ctx context.Context, path string, count int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	header := snapshot.BackupHeader{Cluster: "synthetic", Index: 1, Term: 1, Time: time.Now()}
	if err := snapshot.WriteBackup(ctx, w, header, synthetic.View{Count: count}); err != nil {
		return err
	}
	return w.Flush()
}
