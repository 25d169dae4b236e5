package servers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// MySQLEnv names the environment variable with the path of a MySQL server's program, beside which are mysql and
// mysqldump. When it is not set, the tests take what scripts/install-mysql puts into the cache.
const MySQLEnv = "VERSIOND_TEST_MYSQLD"

// mySQLCache is where that is, below the root of the module.
const mySQLCache = ".cache/mysql"

var mySQL = brand{
	find:   findMySQL,
	server: "mysqld", client: "mysql", dump: "mysqldump",
	install:   installMySQL,
	storage:   mySQLStorageArgs,
	own:       func(string) []string { return []string{"--mysqlx=OFF", "--secure-file-priv="} },
	collation: "utf8mb4_0900_bin",
	defaults: []string{
		"transaction_isolation = 'READ-UNCOMMITTED'", "transaction_read_only = 1", "max_execution_time = 1", "show_create_table_verbosity = 1",
	},
	ownSession: "transaction_read_only=0&max_execution_time=0",
}

// StartMySQL does as StartMariaDB does, with a MySQL.
func StartMySQL(dir string, settings ...string) (*SQLServer, error) {
	return mySQL.start(dir, settings)
}

func mySQLStorageArgs(dir string) []string {
	return append(sqlStorageArgs(dir), "--innodb-redo-log-capacity=16M")
}

func installMySQL(dir string) error {
	program, err := findMySQL("mysqld")
	if err != nil {
		return err
	}
	return runInstall(program, append(mySQLStorageArgs(dir), "--initialize-insecure")...)
}

func findMySQL(program string) (string, error) {
	folder, err := mySQLFolder()
	if err != nil {
		return "", err
	}
	path, err := exec.LookPath(filepath.Join(folder, program))
	if err != nil {
		return "", fmt.Errorf("%w: %s in %s; scripts/install-mysql %s puts a MySQL there, or set %s", ErrNotInstalled, program, folder, mySQLCache, MySQLEnv)
	}
	return path, nil
}

func mySQLFolder() (string, error) {
	if server := os.Getenv(MySQLEnv); server != "" {
		return filepath.Dir(server), nil
	}
	root, err := moduleRoot()
	return filepath.Join(root, filepath.FromSlash(mySQLCache)), err
}

// moduleRoot returns the folder of go.mod, in or above that of the package under test.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		if filepath.Dir(folder) == folder {
			err = errors.New("no go.mod above the working directory")
		}
		folder = filepath.Dir(folder)
	}
	return "", err
}
