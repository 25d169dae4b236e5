package dao

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"versiond/model"
)

// What helps against the errors of databases that operators meet.
const (
	remedyReadOnly    = "let the database server take writes again"
	remedyPacket      = "raise max_allowed_packet on the database server to 64 KiB or more"
	remedyDenied      = "let an administrator grant the account of mysql.dsn all privileges on the node's database, or correct mysql.dsn"
	remedyLock        = "see who holds a lock on the node's tables (SHOW FULL PROCESSLIST) and end it"
	remedyConnections = "raise max_connections, or the account's limits, on the database server"
	remedyFull        = "make room on the database server's disk"
	remedyOther       = "see the database server's own log"

	remedyRoom     = "make room on the disk of the node's data directory"
	remedyDisk     = "mend the disk of the node's data directory"
	remedyWritable = "let the node write to its data directory"
	remedyDamaged  = "stop the node, delete versions.db* in its data directory, and start it: what it lacks then is built anew from its log"
	remedyProgram  = "end the program that has the file open"
)

var mysqlRemedies = map[uint16]string{
	1290: remedyReadOnly, 1792: remedyReadOnly, 1836: remedyReadOnly,
	1153: remedyPacket,
	1044: remedyDenied, 1045: remedyDenied, 1142: remedyDenied, 1143: remedyDenied, 1227: remedyDenied, 1370: remedyDenied, 1698: remedyDenied,
	1205: remedyLock, 1213: remedyLock,
	1040: remedyConnections, 1203: remedyConnections, 1226: remedyConnections,
	1021: remedyFull, 1026: remedyFull, 1114: remedyFull,
}

// sqliteRemedies have primary result codes.
var sqliteRemedies = map[int]string{
	sqlite3.SQLITE_FULL: remedyRoom,
	sqlite3.SQLITE_PERM: remedyWritable, sqlite3.SQLITE_READONLY: remedyWritable, sqlite3.SQLITE_CANTOPEN: remedyWritable, sqlite3.SQLITE_AUTH: remedyWritable,
	sqlite3.SQLITE_BUSY: remedyProgram, sqlite3.SQLITE_LOCKED: remedyProgram,
	sqlite3.SQLITE_CORRUPT: remedyDamaged, sqlite3.SQLITE_NOTADB: remedyDamaged,
}

// unavailable returns, of a call that failed, what the database has said, or that it does not answer.
func unavailable(err error) error {
	var ofMySQL *mysql.MySQLError
	var ofSQLite *sqlite.Error
	switch {
	case errors.As(err, &ofMySQL):
		return answered(err, mysqlWords(err, ofMySQL))
	case errors.Is(err, mysql.ErrPktTooLarge):
		return answered(err, err.Error()+"; "+remedyPacket)
	case errors.As(err, &ofSQLite):
		return answered(err, ofSQLite.Error()+"; "+sqliteRemedy(ofSQLite))
	}
	return fmt.Errorf("%w: %w", model.ErrStoreUnavailable, err)
}

func answered(cause error, words string) error {
	return &model.StoreError{Cause: cause, Detail: "the node's database answers with an error: " + words + "; the node goes on by itself then"}
}

// mysqlWords leaves what package db has to say of an error as it is: that has the statements to run in it.
func mysqlWords(err error, answer *mysql.MySQLError) string {
	if words := err.Error(); words != answer.Error() {
		return words
	}
	return fmt.Sprintf("%d %s; %s", answer.Number, answer.Message, mysqlRemedy(answer))
}

func mysqlRemedy(err *mysql.MySQLError) string {
	if remedy, ok := mysqlRemedies[err.Number]; ok {
		return remedy
	}
	if strings.Contains(err.Message, "No space left") || strings.Contains(err.Message, "error 28") {
		return remedyFull
	}
	return remedyOther
}

func sqliteRemedy(err *sqlite.Error) string {
	if remedy, ok := sqliteRemedies[err.Code()&0xff]; ok {
		return remedy
	}
	return remedyDisk
}
