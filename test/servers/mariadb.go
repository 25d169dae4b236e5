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
	"strconv"

	"github.com/go-sql-driver/mysql"
)

const (
	mariaDBUser     = "versiond"
	mariaDBPassword = "versiond"
	mariaDBPackage  = "mariadb-server"

	// initSQL runs at each start. GRANT OPTION lets tests make users who may do less.
	initSQL = "CREATE USER IF NOT EXISTS '" + mariaDBUser + "'@'%' IDENTIFIED BY '" + mariaDBPassword + "';\n" +
		"CREATE USER IF NOT EXISTS '" + mariaDBUser + "'@'127.0.0.1' IDENTIFIED BY '" + mariaDBPassword + "';\n" +
		"GRANT ALL PRIVILEGES ON *.* TO '" + mariaDBUser + "'@'%' WITH GRANT OPTION;\n" +
		"GRANT ALL PRIVILEGES ON *.* TO '" + mariaDBUser + "'@'127.0.0.1' WITH GRANT OPTION;\n"
)

// ownSession keeps a test's own statements from what TurnDefaults changes.
const ownSession = "?autocommit=1&tx_read_only=0&max_statement_time=0&sql_mode=''"

// MariaDBServer is a MariaDB with a data directory of its own. Its methods may be called from any
// goroutine.
type MariaDBServer struct {
	*process
	// Port is where the server listens on 127.0.0.1.
	Port int
}

// StartMariaDB makes a new data directory in dir and runs a MariaDB on it. It returns when the server
// answers; ErrNotInstalled when there is none. Settings come after the ones that tests have, and win. The caller
// stops the server and removes dir.
func StartMariaDB(dir string, settings ...string) (*MariaDBServer, error) {
	program, err := Find("mariadbd", mariaDBPackage)
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := installMariaDB(dir); err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	s := &MariaDBServer{Port: port}
	s.process = &process{program: program, args: append(mariaDBArgs(dir, port), settings...), dir: dir, ready: s.ping}
	return s, s.Start()
}

// DSN returns the data source name of a database on this server, for a user who may do everything.
// The database need not exist; an empty name gives a connection without one.
func (s *MariaDBServer) DSN(database string) string {
	return s.DSNFor(mariaDBUser, mariaDBPassword, database)
}

// DSNFor returns the data source name for another user.
func (s *MariaDBServer) DSNFor(user, password, database string) string {
	return fmt.Sprintf("%s:%s@tcp(127.0.0.1:%d)/%s", user, password, s.Port, database)
}

// DSNThrough returns the data source name for a client that reaches the server by way of addr.
func (s *MariaDBServer) DSNThrough(addr, database string) string {
	return fmt.Sprintf("%s:%s@tcp(%s)/%s", mariaDBUser, mariaDBPassword, addr, database)
}

// Exec runs one statement, for instance to break something behind the node's back.
func (s *MariaDBServer) Exec(ctx context.Context, statement string) error {
	conn, err := sql.Open("mysql", s.DSN("")+ownSession)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, statement)
	return err
}

// TurnDefaults gives all sessions to come other settings than a server has by itself, each of which would
// change what a program's statements do that had left it to the server.
func (s *MariaDBServer) TurnDefaults(ctx context.Context) error {
	for _, setting := range []string{
		"autocommit = 0", "completion_type = 'RELEASE'", "tx_isolation = 'READ-UNCOMMITTED'", "tx_read_only = 1",
		"sql_mode = 'ANSI,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'", "time_zone = '+13:00'",
		"character_set_server = 'latin1'", "character_set_client = 'latin1'", "character_set_connection = 'latin1'",
		"character_set_results = 'latin1'", "collation_connection = 'latin1_swedish_ci'", "character_set_database = 'latin1'",
		"sql_select_limit = 1", "max_join_size = 1", "sql_big_selects = 0", "max_sort_length = 8", "group_concat_max_len = 4",
		"sql_safe_updates = 1", "sql_auto_is_null = 1", "unique_checks = 0", "foreign_key_checks = 1", "sql_quote_show_create = 0",
		"lock_wait_timeout = 86400", "innodb_lock_wait_timeout = 86400", "max_statement_time = 0.001",
		"wait_timeout = 1", "net_read_timeout = 1", "net_write_timeout = 1",
		"idle_transaction_timeout = 1", "idle_readonly_transaction_timeout = 1", "idle_write_transaction_timeout = 1",
	} {
		if err := s.Exec(ctx, "SET GLOBAL "+setting); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// Load gives a script to the mysql client, as an operator does.
func (s *MariaDBServer) Load(ctx context.Context, database string, script io.Reader) error {
	cmd, err := s.client(ctx, "mariadb", database)
	if err != nil {
		return err
	}
	cmd.Stdin = script
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb %s: %w: %s", database, err, out)
	}
	return nil
}

// Dump returns what the mysqldump client writes of a database, which Load takes.
func (s *MariaDBServer) Dump(ctx context.Context, database string) ([]byte, error) {
	cmd, err := s.client(ctx, "mariadb-dump", "--hex-blob", database)
	if err != nil {
		return nil, err
	}
	return cmd.Output()
}

func (s *MariaDBServer) client(ctx context.Context, program string, args ...string) (*exec.Cmd, error) {
	path, err := Find(program, mariaDBPackage)
	if err != nil {
		return nil, err
	}
	args = append([]string{"--no-defaults", "--host=127.0.0.1", "--port=" + strconv.Itoa(s.Port),
		"--user=" + mariaDBUser, "--password=" + mariaDBPassword}, args...)
	return exec.CommandContext(ctx, path, args...), nil
}

func (s *MariaDBServer) ping(ctx context.Context) error {
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

// installMariaDB makes the system tables (about a second) and the script that makes our user.
func installMariaDB(dir string) error {
	program, err := Find("mariadb-install-db", mariaDBPackage)
	if err != nil {
		return err
	}
	args := append(mariaDBStorageArgs(dir), "--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	return os.WriteFile(initFile(dir), []byte(initSQL), 0o600)
}

// mariaDBStorageArgs are the settings that installation and server share.
func mariaDBStorageArgs(dir string) []string {
	args := []string{
		"--no-defaults",
		"--datadir=" + filepath.Join(dir, "data"),
		"--tmpdir=" + dir, // a server that starts deletes temporary tables, also those of others
		"--skip-name-resolve",
		"--innodb-log-file-size=16M",
		"--innodb-buffer-pool-size=32M",
		"--innodb-undo-tablespaces=0",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--user=root") // refuses to run as root unless it is said
	}
	return args
}

func mariaDBArgs(dir string, port int) []string {
	return append(mariaDBStorageArgs(dir),
		"--init-file="+initFile(dir),
		"--skip-networking=0",
		"--bind-address=127.0.0.1",
		"--port="+strconv.Itoa(port),
		// Relative to the data directory: a socket's whole path may have no more than 107 bytes.
		"--socket=s.sock",
		"--pid-file=server.pid",
		"--innodb-flush-log-at-trx-commit=2",
		"--skip-log-bin",
		"--performance-schema=OFF",
		"--key-buffer-size=1M",
		"--max-connections=200",
	)
}

func initFile(dir string) string { return filepath.Join(dir, "init.sql") }
