package servers

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-sql-driver/mysql"
)

const (
	sqlUser     = "versiond"
	sqlPassword = "versiond"

	// initSQL runs at each start. GRANT OPTION lets tests make users who may do less.
	initSQL = "CREATE USER IF NOT EXISTS '" + sqlUser + "'@'%' IDENTIFIED BY '" + sqlPassword + "';\n" +
		"CREATE USER IF NOT EXISTS '" + sqlUser + "'@'127.0.0.1' IDENTIFIED BY '" + sqlPassword + "';\n" +
		"GRANT ALL PRIVILEGES ON *.* TO '" + sqlUser + "'@'%' WITH GRANT OPTION;\n" +
		"GRANT ALL PRIVILEGES ON *.* TO '" + sqlUser + "'@'127.0.0.1' WITH GRANT OPTION;\n"
)

// SQLServer is a MariaDB or a MySQL with a data directory of its own. Its methods may be called from any
// goroutine.
type SQLServer struct {
	*process
	brand
	// Port is where the server listens on 127.0.0.1.
	Port int
}

// brand is what is not the same on MariaDB and MySQL.
type brand struct {
	// find returns the path of one of the brand's programs; ErrNotInstalled when it is not there.
	find func(program string) (string, error)
	// server, client and dump name the programs.
	server, client, dump string
	// install makes the system tables of a server whose files are in dir.
	install func(dir string) error
	// storage are the settings that installing and running it share, own those of running it.
	storage, own func(dir string) []string
	// collation compares text byte for byte, blanks at the end too.
	collation string
	// defaults are the settings that TurnDefaults changes beside those that both have.
	defaults []string
	// ownSession keeps a test's own statements from these.
	ownSession string
}

// Collation returns the one that compares text byte for byte, blanks at the end too.
func (b *brand) Collation() string { return b.collation }

// start makes a new data directory in dir and runs a server on it. It returns when the server
// answers; ErrNotInstalled when there is none. Settings come after the ones that tests have, and win. The caller
// stops the server and removes dir.
func (b brand) start(dir string, settings []string) (*SQLServer, error) {
	program, err := b.find(b.server)
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := b.install(dir); err != nil {
		return nil, err
	}
	if err := os.WriteFile(initFile(dir), []byte(initSQL), 0o600); err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	args := slices.Concat(b.storage(dir), sqlArgs(dir, port), b.own(dir), settings)
	s := &SQLServer{brand: b, Port: port}
	s.process = &process{program: program, args: args, dir: dir, ready: s.ping}
	return s, s.Start()
}

// runInstall makes the system tables by a program, which takes a second or two.
func runInstall(program string, args ...string) error {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(program), err, out)
	}
	return nil
}

// sqlStorageArgs are the settings that installation and server share.
func sqlStorageArgs(dir string) []string {
	args := []string{
		"--no-defaults",
		"--datadir=" + filepath.Join(dir, "data"),
		"--tmpdir=" + dir, // a server that starts deletes temporary tables, also those of others
		"--skip-name-resolve",
		"--innodb-buffer-pool-size=32M",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // refuses to run as root unless it is said
	}
	return args
}

func sqlArgs(dir string, port int) []string {
	return []string{
		"--init-file=" + initFile(dir),
		"--bind-address=127.0.0.1",
		"--port=" + strconv.Itoa(port),
		// Relative to the data directory: a socket's whole path may have no more than 107 bytes.
		"--socket=s.sock",
		"--pid-file=server.pid",
		"--innodb-flush-log-at-trx-commit=2",
		"--skip-log-bin",
		"--performance-schema=OFF",
		"--key-buffer-size=1M",
		"--max-connections=200",
	}
}

func initFile(dir string) string { return filepath.Join(dir, "init.sql") }

// DSN returns the data source name of a database on this server, for a user who may do everything.
// The database need not exist; an empty name makes a connection without one.
func (s *SQLServer) DSN(database string) string {
	return s.DSNFor(sqlUser, sqlPassword, database)
}

// DSNFor returns the data source name for another user.
func (s *SQLServer) DSNFor(user, password, database string) string {
	return fmt.Sprintf("%s:%s@tcp(127.0.0.1:%d)/%s", user, password, s.Port, database)
}

// DSNThrough returns the data source name for a client that reaches the server by way of addr.
func (s *SQLServer) DSNThrough(addr, database string) string {
	return fmt.Sprintf("%s:%s@tcp(%s)/%s", sqlUser, sqlPassword, addr, database)
}

// Exec runs one statement, for instance to break something behind the node's back.
func (s *SQLServer) Exec(ctx context.Context, statement string) error {
	conn, err := sql.Open("mysql", s.DSN("")+"?autocommit=1&sql_mode=''&"+s.ownSession)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, statement)
	return err
}

// TurnDefaults sets defaults for all sessions to come that differ from those of a server. Each of them would
// change what the statements of a program do that leaves the setting to the server.
func (s *SQLServer) TurnDefaults(ctx context.Context) error {
	for _, setting := range slices.Concat([]string{
		"autocommit = 0", "completion_type = 'RELEASE'",
		"sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'", "time_zone = '+13:00'",
		"character_set_server = 'latin1'", "character_set_client = 'latin1'", "character_set_connection = 'latin1'",
		"character_set_results = 'latin1'", "collation_connection = 'latin1_swedish_ci'", "character_set_database = 'latin1'",
		"sql_select_limit = 1", "max_join_size = 1", "sql_big_selects = 0", "max_sort_length = 8", "group_concat_max_len = 4",
		"sql_safe_updates = 1", "sql_auto_is_null = 1", "unique_checks = 0", "foreign_key_checks = 1", "sql_quote_show_create = 0",
		"lock_wait_timeout = 86400", "innodb_lock_wait_timeout = 86400",
		"wait_timeout = 1", "net_read_timeout = 1", "net_write_timeout = 1",
	}, s.defaults) {
		if err := s.Exec(ctx, "SET GLOBAL "+setting); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// Load runs a script with the mysql client, as an operator does.
func (s *SQLServer) Load(ctx context.Context, database string, script io.Reader) error {
	cmd, err := s.run(ctx, s.client, database)
	if err != nil {
		return err
	}
	cmd.Stdin = script
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", s.client, database, err, out)
	}
	return nil
}

// Dump returns what the command that recover prints writes of a database, which Load takes.
func (s *SQLServer) Dump(ctx context.Context, database string) ([]byte, error) {
	cmd, err := s.run(ctx, s.dump, "--single-transaction", database)
	if err != nil {
		return nil, err
	}
	return cmd.Output()
}

func (s *SQLServer) run(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	path, err := s.find(program)
	if err != nil {
		return nil, err
	}
	args = append([]string{"--no-defaults", "--host=127.0.0.1", "--port=" + strconv.Itoa(s.Port),
		"--user=" + sqlUser, "--password=" + sqlPassword}, args...)
	return exec.CommandContext(ctx, path, args...), nil
}

func (s *SQLServer) ping(ctx context.Context) error {
	cfg, err := mysql.ParseDSN(s.DSN(""))
	if err != nil {
		return err
	}
	cfg.Logger = log.New(io.Discard, "", 0) // refused connections are normal while it starts
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	conn := sql.OpenDB(connector)
	defer conn.Close()
	return conn.PingContext(ctx)
}
