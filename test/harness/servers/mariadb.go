package servers

var mariaDB = brand{
	find:   findMariaDB,
	server: "mariadbd", client: "mariadb", dump: "mariadb-dump",
	install:   installMariaDB,
	storage:   mariaDBStorageArgs,
	own:       func(string) []string { return []string{"--skip-networking=0"} },
	collation: "utf8mb4_nopad_bin",
	defaults: []string{
		"tx_isolation = 'READ-UNCOMMITTED'", "tx_read_only = 1", "max_statement_time = 0.001",
		"idle_transaction_timeout = 1", "idle_readonly_transaction_timeout = 1", "idle_write_transaction_timeout = 1",
	},
	ownSession: "tx_read_only=0&max_statement_time=0",
}

// StartMariaDB makes a new data directory in dir and runs a MariaDB on it. It returns when the server
// answers; ErrNotInstalled when there is none. Settings come after the ones that tests have, and win. The caller
// stops the server and removes dir.
func StartMariaDB(dir string, settings ...string) (*SQLServer, error) {
	return mariaDB.start(dir, settings)
}

func findMariaDB(program string) (string, error) { return Find(program, "mariadb-server") }

func installMariaDB(dir string) error {
	program, err := findMariaDB("mariadb-install-db")
	if err != nil {
		return err
	}
	return runInstall(program, append(mariaDBStorageArgs(dir), "--auth-root-authentication-method=normal", "--skip-test-db")...)
}

func mariaDBStorageArgs(dir string) []string {
	return append(sqlStorageArgs(dir), "--innodb-log-file-size=16M", "--innodb-undo-tablespaces=0")
}
