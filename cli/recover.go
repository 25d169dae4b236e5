package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"versiond/certs"
	"versiond/config"
	"versiond/dao"
	"versiond/db"
	"versiond/raft"
	"versiond/raft/datadir"
	"versiond/raft/recovery"
	"versiond/service"
)

const recoverHelp = `recover makes one node the only member of a new cluster when a majority of the nodes is lost for good.
It works on a node that is stopped. First it says what it would do; without --yes that is all, and it
exits with 2. While enough nodes can be started, start them: their cluster needs no recovery.

From a data directory that is left, it takes the newest snapshot and every entry of the log. Entries
that were never acknowledged are kept too: a log does not tell them apart. What the lost nodes alone
had is lost.

With --from-database, when every data directory is gone, it takes the records of this node's database:
MySQL, or versions.db, put back into its place in an otherwise empty data directory. Of several kept
databases take the one with the highest index.

The new cluster has a new ID, and no node of the old one gets in with its old data directory. After
recover:
  1. start this node, with its usual settings, and wait until it is ready;
  2. on each of the others, remove what is in the node's data directory and start it. Listed in
     raft.nodes it joins by itself, otherwise with --join or /join. A MySQL database of the old cluster
     may stay; it is replaced.

Before it changes anything, recover copies the data directory (see --backup-dir). It needs free space for
that, and for the records once more while it works. It writes to no MySQL database. The node replaces
what is in its own at its next start: to keep that, run the mysqldump that recover prints first. To put
everything back: stop the node, remove its data directory, give the copy the name of the directory, and
load the dump: mysql DATABASE < FILE. If recover is killed, the node does not start; run recover again,
or put everything back.

Exit codes: 0 done, 1 not possible, 2 possible and waiting for --yes.`

// recoverCommand is what versiond recover was told.
type recoverCommand struct {
	fromDatabase, yes bool
	backupDir         string

	cfg   config.Config
	node  config.Node
	certs *certs.Keeper // nil where nodes speak to each other without TLS
	log   *slog.Logger
	out   io.Writer
}

// newRecoverCommand makes the command that begins a new cluster with what one node has.
func newRecoverCommand(environ []string, stderr io.Writer) *cobra.Command {
	var r recoverCommand
	cmd := &cobra.Command{
		Use:   "recover --node ID",
		Short: "Begin a new cluster with what one node has, when the others are lost for good",
		Long:  recoverHelp,
		Args:  cobra.NoArgs,
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return err }) // 2 says that --yes is waited for
	config.BindFlags(cmd.Flags())
	cmd.Flags().BoolVar(&r.yes, "yes", false, "do it, and do not only say what would be done")
	cmd.Flags().BoolVar(&r.fromDatabase, "from-database", false, "take the records from this node's database: every data directory is gone")
	cmd.Flags().StringVar(&r.backupDir, "backup-dir", "", "directory to copy the node's data directory to; beside it when not set")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		cfg, err := config.Load(cmd.Flags(), environ)
		if err != nil {
			return err
		}
		if cfg.OnlyNode == "" {
			return errors.New("--node must say which node's data is left")
		}
		r.cfg, r.node, r.log, r.out = cfg, cfg.LocalNodes()[0], newLogger(cfg.Log, stderr), cmd.OutOrStdout()
		return r.run(ctx)
	}
	return cmd
}

func (r *recoverCommand) run(ctx context.Context) (err error) {
	if err := ensureOwn(os.Geteuid(), r.path(), r.cfg.DataDir); err != nil {
		return err
	}
	own := r.cfg.Cluster
	if r.certs, err = certs.OpenPeer(certs.PeerFiles(own.CertFile, own.KeyFile, own.CAFile), r.node.Address, r.log); err != nil {
		return err
	}
	if r.fromDatabase {
		err = r.recoverFromDatabase(ctx)
	} else {
		err = r.recoverFromLog(ctx)
	}
	if errors.Is(err, recovery.ErrNotConfirmed) {
		return fmt.Errorf("%w; add --yes to do this", err)
	}
	return err
}

func (r *recoverCommand) path() string { return filepath.Join(r.cfg.DataDir, r.node.ID) }

func (r *recoverCommand) recoverFromLog(ctx context.Context) (err error) {
	dir, err := recovery.OpenLeft(r.path(), r.node.ID)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	database, err := r.inspectDatabase(ctx, dir)
	if err != nil {
		return err
	}
	var plan recovery.Plan
	cfg := r.raftConfig(dir)
	cfg.Check = r.ensureLost
	cfg.Show = func(p recovery.Plan) {
		plan = p
		r.tell(p, database)
	}
	if err := recovery.FromLog(ctx, cfg, r.throwaway); err != nil {
		return err
	}
	r.tellNext(plan)
	return nil
}

func (r *recoverCommand) recoverFromDatabase(ctx context.Context) (err error) {
	store, err := r.openKept()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(store.DB)) }()
	state, err := r.keptState(ctx, store)
	if err != nil {
		return err
	}
	dir, err := recovery.OpenBlank(r.path(), r.node.ID, r.yes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	records, err := r.serviceOver(store)
	if err != nil {
		return err
	}
	view, err := store.OpenView(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, view.Close()) }()
	differs, err := r.differs(ctx, records, state)
	if err != nil {
		return err
	}
	var plan recovery.Plan
	cfg := r.raftConfig(dir)
	cfg.Check = r.ensureGone
	cfg.Show = func(p recovery.Plan) {
		plan = p
		r.tell(p, &state)
		if differs {
			fmt.Fprint(r.out, "NOTE: the records are not those that the node stored: somebody else has changed the database.\n")
		}
	}
	if err := recovery.FromDatabase(ctx, cfg, state, keptView{view}); err != nil {
		return err
	}
	r.tellNext(plan)
	return nil
}

func (r *recoverCommand) raftConfig(dir *datadir.Dir) recovery.Config {
	return recovery.Config{
		Dir: dir, Address: r.node.Address, BackupDir: r.backupDir, Confirmed: r.yes, Log: r.log,
	}
}

// throwaway opens a service over an empty SQLite database in folder.
func (r *recoverCommand) throwaway(folder string) (raft.VersionServiceInterface, func() error, error) {
	gormDB, err := db.OpenSQLite(filepath.Join(folder, db.SQLiteFile))
	if err != nil {
		return nil, nil, err
	}
	records, err := r.serviceOver(&dao.VersionMysqlDao{DB: gormDB})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close(gormDB))
	}
	return records, func() error { return db.Close(gormDB) }, nil
}

func (r *recoverCommand) serviceOver(store *dao.VersionMysqlDao) (raft.VersionServiceInterface, error) {
	memory, err := dao.NewMemoryDB(1, 1, time.Minute, time.Now)
	if err != nil {
		return nil, err
	}
	mysqlService, errMysql := service.NewVersionMysqlService(store)
	redisService, errRedis := service.NewVersionRedisService(memory, nil, r.log)
	if err := errors.Join(errMysql, errRedis); err != nil {
		return nil, err
	}
	return service.NewThrowawayService(mysqlService, redisService, r.log), nil
}
