package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"versiond/model"
	"versiond/raft/snapshot"
)

// synthetic is a view of records that are made as they are asked for.
type synthetic struct{ count int }

var platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "android"}

func recordID(i int) string { return fmt.Sprintf("com.example.app-%07d", i) }

// Page implements raft.View.
func (s synthetic) Page(_ context.Context, after string, limit int) ([]model.Version, error) {
	first := 0
	if after != "" {
		if _, err := fmt.Sscanf(after, "com.example.app-%d", &first); err != nil {
			return nil, err
		}
		first++
	}
	var page []model.Version
	for i := first; i < min(first+limit, s.count); i++ {
		page = append(page, model.Version{
			ID: recordID(i), VersionNo: fmt.Sprintf("%d.%d.%d", i%10, i%100, i), Platform: platforms[i%len(platforms)],
			Revision: model.Revision(uint64(i/model.CommandsPerEntryMax)+1, i%model.CommandsPerEntryMax),
		})
	}
	return page, nil
}

// DedupRecords implements raft.View: it has none.
func (synthetic) DedupRecords(context.Context, uint64, int) ([]model.DedupRecord, error) {
	return nil, nil
}

// ChangesFrom implements raft.View: it keeps none.
func (synthetic) ChangesFrom() uint64 { return 0 }

// ChangesAfter implements raft.View.
func (synthetic) ChangesAfter(context.Context, uint64, int) ([]model.Change, error) {
	return nil, nil
}

// Close implements raft.View.
func (synthetic) Close() error { return nil }

// writeBackup writes a backup of a cluster that never was.
func writeBackup(ctx context.Context, path string, count int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	header := snapshot.BackupHeader{Cluster: "synthetic", Index: 1, Term: 1, Time: time.Now()}
	if err := snapshot.WriteBackup(ctx, w, header, synthetic{count}); err != nil {
		return err
	}
	return w.Flush()
}
