package cluster

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite"
	"github.com/stretchr/testify/require"
)

// embedded is a SQLite file in each node's data directory, and no Redis.
type embedded struct{ t testing.TB }

func (embedded) env(string) []string { return nil }

func (embedded) lines(string) *Lines { return nil }

func (embedded) addresses(string) []string { return nil }

func (e embedded) database(_, dir string) Database { return &sqliteDatabase{t: e.t, dir: dir} }

type sqliteDatabase struct {
	t   testing.TB
	dir string
}

// The file, and what WAL mode keeps beside it.
var sqliteFiles = []string{"versions.db", "versions.db-wal", "versions.db-shm"}

func (d *sqliteDatabase) Read(ctx context.Context) (Contents, error) {
	uri := url.URL{Scheme: "file", Path: filepath.Join(d.dir, sqliteFiles[0]), RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return Contents{}, err
	}
	contents, err := readContents(ctx, db, sql.LevelDefault)
	return contents, errors.Join(err, db.Close())
}

func (d *sqliteDatabase) Drop() {
	d.t.Helper()
	for _, name := range sqliteFiles {
		if err := os.Remove(filepath.Join(d.dir, name)); !errors.Is(err, fs.ErrNotExist) {
			require.NoError(d.t, err)
		}
	}
}

func (d *sqliteDatabase) Save(label string) {
	d.t.Helper()
	require.NoError(d.t, os.RemoveAll(d.aside(label)))
	d.move(d.dir, d.aside(label), copyFile)
}

func (d *sqliteDatabase) PutBack(label string) {
	d.t.Helper()
	d.Drop()
	d.move(d.aside(label), d.dir, copyFile)
}

func (d *sqliteDatabase) Load(string) {}

func (d *sqliteDatabase) Swap(other Database) {
	d.t.Helper()
	o := other.(*sqliteDatabase)
	d.move(d.dir, d.aside("swap"), os.Rename)
	d.move(o.dir, d.dir, os.Rename)
	d.move(d.aside("swap"), o.dir, os.Rename)
}

func (d *sqliteDatabase) aside(label string) string {
	d.t.Helper()
	dir := d.dir + "." + label
	require.NoError(d.t, os.MkdirAll(dir, 0o700))
	return dir
}

// move takes those of the files that are there.
func (d *sqliteDatabase) move(from, to string, one func(from, to string) error) {
	d.t.Helper()
	for _, name := range sqliteFiles {
		if err := one(filepath.Join(from, name), filepath.Join(to, name)); !errors.Is(err, fs.ErrNotExist) {
			require.NoError(d.t, err)
		}
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
