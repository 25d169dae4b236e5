// Package recovery begins a new cluster with what one stopped node, or one database, has.
package recovery

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	hashicorp "github.com/hashicorp/raft"

	"versiond/model"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/raftlog"
)

// Config is what a recovery needs. Dir stays the caller's to close.
type Config struct {
	Dir *datadir.Dir
	// Address is where other nodes will reach the node.
	Address string
	// BackupDir is where the copy of the data directory goes; beside it when empty.
	BackupDir string
	// Confirmed lets the recovery go on once Show has returned. Without it nothing is changed.
	Confirmed bool
	// Check is asked first, before anything is opened for writing, with a plan that has no records yet.
	Check func(context.Context, Plan) error
	// Show is told what will be done when all of it is known; nothing has been changed by then.
	Show func(Plan)
	Log  *slog.Logger

	at func(step string) // for tests: what is on disk now is what a kill would leave
}

// Plan describes what a recovery does.
type Plan struct {
	From               datadir.Source
	Node, Dir, Address string
	// Snapshot and Last are the newest snapshot and the end of the log, or of the database.
	Snapshot, Last model.Position
	// Records is how many records the new cluster begins with.
	Records uint64
	// Members are those of the last configuration in the log; all but Node are dropped. A database
	// knows of none.
	Members []raft.Member
	// Backup is the path of the directory's copy.
	Backup string
	// Former is the cluster that is given up, Cluster the new one.
	Former, Cluster string
	// Resumed is set when an earlier recovery was broken off; Backup was made by that one.
	Resumed bool
}

func (cfg *Config) newPlan(from datadir.Source, former string) Plan {
	noted := cfg.Dir.Noted()
	plan := Plan{
		From: from, Node: noted.Node, Dir: cfg.Dir.Path(), Address: cfg.Address,
		Former: former, Cluster: rand.Text(), Backup: backupPath(cfg.Dir, cfg.BackupDir, time.Now()),
	}
	if noted.Recovery != nil {
		plan.Resumed, plan.Backup, plan.Cluster = true, noted.Recovery.Backup, noted.Cluster
		plan.Former = noted.Former[len(noted.Former)-1]
	}
	return plan
}

// begin shows the plan and, once it is confirmed, makes the backup and marks the directory.
func (cfg *Config) begin(ctx context.Context, plan Plan) error {
	cfg.Show(plan)
	if !cfg.Confirmed {
		return ErrNotConfirmed
	}
	if plan.Resumed {
		return nil
	}
	cfg.reached("shown")
	if err := backUp(ctx, cfg.Dir, plan.Backup); err != nil {
		return fmt.Errorf("back up %s: %w", cfg.Dir.Path(), err)
	}
	cfg.reached("backed up")
	err := cfg.Dir.BeginRecovery(plan.Cluster, plan.Former, datadir.Mark{From: plan.From, Backup: plan.Backup})
	cfg.reached("marked")
	return err
}

// readMembers finds the newest configuration, committed or not.
func (p *Plan) readMembers(s *raftlog.Stores) error {
	var newest hashicorp.Configuration
	meta, err := raftlog.NewestSnapshot(s.Snapshots)
	switch {
	case err == nil:
		newest, p.Snapshot = meta.Configuration, model.Position{Index: meta.Index, Term: meta.Term}
	case !errors.Is(err, raftlog.ErrNoSnapshot):
		return err
	}
	last, err := s.Log.LastIndex()
	for index := p.Snapshot.Index + 1; err == nil && index <= last; index++ {
		var log hashicorp.Log
		if err = s.Log.GetLog(index, &log); err == nil && log.Type == hashicorp.LogConfiguration {
			newest = hashicorp.DecodeConfiguration(log.Data)
		}
	}
	p.Members = raft.MembersOf(newest.Servers)
	if err != nil {
		return fmt.Errorf("read the members from the Raft log: %w", err)
	}
	return nil
}
