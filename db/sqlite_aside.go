package db

import (
	"errors"
	"io/fs"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// IsDamaged reports whether SQLite cannot take a file for a database of its own.
func IsDamaged(err error) bool {
	var answer *sqlite.Error
	if !errors.As(err, &answer) {
		return false
	}
	primary := answer.Code() & 0xff
	return primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB
}

// Aside is where SetAside puts the database file at path.
func Aside(path string) string { return path + ".damaged" }

// SetAside takes a database file that nobody has open out of the way, with what SQLite keeps beside it. An earlier
// one that was set aside goes.
func SetAside(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, Aside(path)+suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
