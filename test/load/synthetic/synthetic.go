// Package synthetic has records of a registry that never was, as many as a test wants: each follows from its number.
package synthetic

import (
	"context"
	"fmt"

	"versiond/model"
)

// idFormat puts the ids in the order of their numbers.
const idFormat = "com.example.app-%07d"

var platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "android"}

// ID returns the id of a record.
func ID(i int) string { return fmt.Sprintf(idFormat, i) }

// Record returns the record of a number.
func Record(i int) model.Version {
	return model.Version{
		ID: ID(i), VersionNo: fmt.Sprintf("%d.%d.%d", i%10, i%100, i), Platform: platforms[i%len(platforms)],
		Revision: model.Revision(uint64(i/model.CommandsPerEntryMax)+1, i%model.CommandsPerEntryMax),
	}
}

// View is a view of the first Count records, which are made as they are asked for.
type View struct{ Count int }

// Page implements raft.View.
func (v View) Page(_ context.Context, after string, limit int) ([]model.Version, error) {
	first := 0
	if after != "" {
		if _, err := fmt.Sscanf(after, idFormat, &first); err != nil {
			return nil, err
		}
		first++
	}
	var page []model.Version
	for i := first; i < min(first+limit, v.Count); i++ {
		page = append(page, Record(i))
	}
	return page, nil
}

// DedupRecords implements raft.View: it has none.
func (View) DedupRecords(context.Context, uint64, int) ([]model.DedupRecord, error) {
	return nil, nil
}

// ChangesFrom implements raft.View: it keeps none.
func (View) ChangesFrom() uint64 { return 0 }

// ChangesAfter implements raft.View.
func (View) ChangesAfter(context.Context, uint64, int) ([]model.Change, error) {
	return nil, nil
}

// Close implements raft.View.
func (View) Close() error { return nil }
