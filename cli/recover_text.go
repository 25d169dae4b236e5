package cli

import (
	"context"
	"errors"
	"fmt"

	"versiond/db"
	"versiond/model"
	"versiond/peer"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/recovery"
)

// tell prints what a recovery does, or would do.
func (r *recoverCommand) tell(p recovery.Plan, database *model.StoreState) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(r.out, "  %-16s "+format+"\n", append([]any{name}, args...)...)
	}
	if p.Resumed {
		fmt.Fprintf(r.out, "a recovery of %s was broken off; this one ends it\n", p.Node)
	}
	fmt.Fprintf(r.out, "recover %s as the only member of a new cluster\n", p.Node)
	line("data directory", "%s", p.Dir)
	if p.From == datadir.FromLog {
		line("log", "ends at index %d, term %d", p.Last.Index, p.Last.Term)
		line("snapshot", "%s", positionOrNone(p.Snapshot))
		line("records", "%d, from every entry of the log, also those that were never acknowledged", p.Records)
	} else {
		line("database", "at index %d, term %d", p.Last.Index, p.Last.Term)
		line("records", "%d; what the database lacked when it was last written is lost", p.Records)
	}
	for _, m := range p.Members {
		line("member", "%s", fate(m, p.Node))
	}
	line("cluster", "%s is given up", p.Former)
	line("new cluster", "%s, with %s at %s as its only voter%s", p.Cluster, p.Node, p.Address, r.everyTime(p))
	line("backup", "%s", backupText(p))
	if r.onMySQL() && database != nil {
		line("MySQL", "is not written to now, and replaced when %s starts; to keep what it has: %s",
			p.Node, db.DumpCommand(r.cfg.MySQL.DSN.Reveal(), p.Node))
	}
	if p.From == datadir.FromLog && database != nil && database.Applied.Index > p.Last.Index {
		fmt.Fprintf(r.out, "NOTE: the database is at index %d, past the end of this log. It may hold records that the log lacks;\n"+
			"they are kept only by moving the data directory away and using --from-database.\n", database.Applied.Index)
	}
}

func positionOrNone(p model.Position) string {
	if p.Index == 0 {
		return "none"
	}
	return fmt.Sprintf("at index %d, term %d", p.Index, p.Term)
}

func fate(m raft.Member, survivor string) string {
	role, what := "no vote", "is dropped"
	if m.Voter {
		role = "voter"
	}
	if m.ID == survivor {
		what = "stays"
	}
	return fmt.Sprintf("%s at %s, %s: %s", m.ID, m.Address, role, what)
}

func (r *recoverCommand) everyTime(p recovery.Plan) string {
	if r.yes || p.Resumed {
		return ""
	}
	return " (every run makes a new ID)"
}

func backupText(p recovery.Plan) string {
	if p.Resumed {
		return "made before: " + p.Backup
	}
	return p.Backup
}

// tellNext prints what is to be done after a recovery.
func (r *recoverCommand) tellNext(p recovery.Plan) {
	fmt.Fprintf(r.out, "done: %s is the only member of cluster %s, which has %d records\n"+
		"Now start %s and wait until it is ready. Then, one by one, remove what is in the data directory of each other\n"+
		"node, and start it: listed in raft.nodes it joins by itself, otherwise with --join or /join.\n",
		p.Node, p.Cluster, p.Records, p.Node)
}

// ensureLost refuses while the members that answer could still be a cluster.
func (r *recoverCommand) ensureLost(ctx context.Context, p recovery.Plan) error {
	if p.Resumed {
		return nil // the new snapshot may be there already, and its only member is this node
	}
	voters, alive := 0, 0
	for _, m := range p.Members {
		status, answers := r.ask(ctx, m.Address, p.Former)
		answers = answers || m.ID == p.Node
		if m.Voter {
			voters++
		}
		if m.Voter && answers {
			alive++
		}
		if status.LeaderID != "" && m.ID != p.Node {
			return fmt.Errorf("%s at %s answers, and says that %s leads the cluster: it is not lost; start this node", m.ID, m.Address, status.LeaderID)
		}
	}
	if alive > voters/2 {
		return fmt.Errorf("%d of %d voters are there, this one included: start it, and they elect a leader", alive, voters)
	}
	return nil
}

// ensureGone refuses while a listed node still has the cluster's Raft state.
func (r *recoverCommand) ensureGone(ctx context.Context, p recovery.Plan) error {
	for _, n := range r.cfg.Raft.Nodes {
		if _, answers := r.ask(ctx, n.Address, p.Former); answers {
			return fmt.Errorf("%s at %s still has the Raft state of cluster %s: if the others are lost, recover there, without --from-database", n.ID, n.Address, p.Former)
		}
	}
	return nil
}

// ask reports whether a member of the cluster answers at address.
func (r *recoverCommand) ask(ctx context.Context, address, cluster string) (peer.Status, bool) {
	client := peer.NewClient(func() string { return cluster }, r.cfg.Cluster.Secret.Reveal(), r.certs)
	defer client.Close()
	status, err := client.Status(ctx, address)
	if err != nil || !status.Running || status.Cluster != cluster {
		switch {
		case errors.Is(err, model.ErrSecretsDiffer):
			r.log.Warn("a node answers and does not take this one's cluster.secret", "address", address)
		case errors.Is(err, model.ErrTLSFailed):
			r.log.Warn("a node answers and does not come to speak TLS with this one", "address", address, "err", err)
		}
		return peer.Status{}, false
	}
	return status, true
}
