package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/go-redis/redis/v8"
)

// What the two may take.
const (
	snapshotMax = time.Minute
	reloadMax   = 5 * time.Minute
)

// snapshots lets every node make some while clients write.
func (e *experiment) snapshots(ctx context.Context) error {
	if err := e.full.Restart(withSnapshot...); err != nil {
		return err
	}
	w, err := e.watchWrites(ctx, func() (bool, error) {
		unfinished, err := filepath.Glob(filepath.Join(e.full.Dir, "node*", "snapshots", "*.tmp"))
		return len(unfinished) > 0, err
	}, snapshotMax)
	if err != nil {
		return err
	}
	return e.noteWatched("snapshot", w, snapshotMax)
}

// reloads lets the nodes bring an empty Redis to what the database holds, and then look again and
// again, while clients write.
func (e *experiment) reloads(ctx context.Context) error {
	if !e.servers {
		return nil
	}
	client := redis.NewClient(&redis.Options{Addr: e.full.Shared[1].Address})
	defer client.Close()
	if err := client.FlushDB(ctx).Err(); err != nil {
		return err
	}
	if err := e.full.Restart(withReload...); err != nil {
		return err
	}
	w, err := e.watchWrites(ctx, func() (bool, error) {
		n, err := client.Exists(ctx, "versiond:reload-lock").Result()
		return n > 0, err
	}, reloadMax)
	if err != nil {
		return err
	}
	if err := e.noteWatched("reload", w, reloadMax); err != nil {
		return err
	}
	keys, err := client.DBSize(ctx).Result()
	if err == nil && keys < int64(e.records) {
		err = fmt.Errorf("redis holds %d keys after the reload", keys)
	}
	return err
}

func (e *experiment) noteWatched(what string, w watched, most time.Duration) error {
	e.note(fmt.Sprintf("%ss, the longest of %d, s", what, w.times), w.longest.Seconds(), most.Seconds())
	e.note("writes a second beside none", w.idle.rate(), 0)
	e.note("writes a second beside one", w.busy.rate(), 0)
	e.note("lower by, %", 100*(1-w.busy.rate()/w.idle.rate()), 20)
	return e.noteMemory("peak memory since the start, MiB", e.memoryMax())
}
