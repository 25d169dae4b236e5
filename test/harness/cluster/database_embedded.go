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

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"versiond/model"
	"versiond/test/damage"
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

func (d *sqliteDatabase) Read(ctx context.Context) (contents Contents, err error) {
	return contents, d.read(func(db beginner) error {
		contents, err = readContents(ctx, db, sql.LevelDefault)
		return err
	})
}

func (d *sqliteDatabase) EachChange(ctx context.Context, after uint64, do func(*model.Change) error) error {
	return d.read(func(db beginner) error { return readChanges(ctx, db, after, do) })
}

func (d *sqliteDatabase) read(read func(beginner) error) error {
	uri := url.URL{Scheme: "file", Path: filepath.Join(d.dir, sqliteFiles[0]), RawQuery: "mode=ro&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		return err
	}
	return errors.Join(read(db), db.Close())
}

func (d *sqliteDatabase) Harm(kind damage.Kind) {
	d.t.Helper()
	uri := url.URL{Scheme: "file", Path: filepath.Join(d.dir, sqliteFiles[0]), RawQuery: "mode=rw&_txlock=immediate&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", uri.String())
	require.NoError(d.t, err)
	defer db.Close()
	tx, err := db.BeginTx(d.t.Context(), nil)
	require.NoError(d.t, err)
	for _, statement := range kind.SQLite {
		_, err := tx.ExecContext(d.t.Context(), statement)
		require.NoError(d.t, err, statement)
	}
	require.NoError(d.t, tx.Commit())
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
	d.copy(d.dir, d.aside(label))
}

func (d *sqliteDatabase) PutBack(label string) {
	d.t.Helper()
	d.Drop()
	d.copy(d.aside(label), d.dir)
}

func (d *sqliteDatabase) Swap(other Database) {
	d.t.Helper()
	o := other.(*sqliteDatabase)
	d.Save("swap")
	d.Drop()
	d.copy(o.dir, d.dir)
	o.Drop()
	d.copy(d.aside("swap"), o.dir)
}

func (d *sqliteDatabase) aside(label string) string {
	d.t.Helper()
	dir := d.dir + "." + label
	require.NoError(d.t, os.MkdirAll(dir, 0o700))
	return dir
}

// copy takes those of the files that are there. The two directories may be on different disks.
func (d *sqliteDatabase) copy(from, to string) {
	d.t.Helper()
	for _, name := range sqliteFiles {
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); !errors.Is(err, fs.ErrNotExist) {
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
