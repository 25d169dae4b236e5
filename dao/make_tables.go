package dao

import (
	"context"
	"strings"

	"gorm.io/gorm"
)

// mysqlDropTables takes whatever stands where the tables should. There is no such view where there was a table.
func mysqlDropTables(tx *gorm.DB) error {
	for _, table := range tables {
		for _, kind := range []string{"TABLE", "VIEW"} {
			if err := tx.Exec("DROP " + kind + " IF EXISTS " + table.TableName()).Error; err != nil {
				return err
			}
		}
	}
	return nil
}

// sqliteDropTables drops tables first, with which their indexes and triggers go.
func sqliteDropTables(tx *gorm.DB) error {
	for _, kind := range []string{"table", "view", "index"} {
		var names []string
		if err := tx.Raw("SELECT name FROM sqlite_master WHERE type = ? AND ("+sqliteOurs()+")", kind).Scan(&names).Error; err != nil {
			return err
		}
		for _, name := range names {
			if err := tx.Exec("DROP " + kind + ` "` + strings.ReplaceAll(name, `"`, `""`) + `"`).Error; err != nil {
				return err
			}
		}
	}
	return nil
}

// EnsureSchema makes the database, when CreateDatabase is set, and the tables, unless they are provably as
// this node made them: what stands in their place is dropped. Whose the database is has to be seen before.
func (d *VersionMysqlDao) EnsureSchema(ctx context.Context) error {
	const op = "making the schema"
	if err := d.createDatabase(ctx); err != nil {
		return d.translate(ctx, op, err)
	}
	keeps, err := d.keepsShape(ctx)
	if err == nil && !keeps {
		err = d.makeTables(ctx)
	}
	return d.translate(ctx, op, err)
}

// Standing makes the database, when CreateDatabase is set, and returns the names of what stands where the tables
// should, whoever made it. EnsureSchema may drop all of that.
func (d *VersionMysqlDao) Standing(ctx context.Context) (names []string, err error) {
	const op = "looking for the tables"
	if err := d.createDatabase(ctx); err != nil {
		return nil, d.translate(ctx, op, err)
	}
	tx := d.DB.WithContext(ctx)
	err = tx.Raw(dialectOf(tx).standing).Scan(&names).Error
	return names, d.translate(ctx, op, err)
}

func (d *VersionMysqlDao) createDatabase(ctx context.Context) error {
	if d.CreateDatabase == nil {
		return nil
	}
	return d.CreateDatabase(ctx)
}

func (d *VersionMysqlDao) makeTables(ctx context.Context) error {
	tx := d.DB.WithContext(ctx)
	own := dialectOf(tx)
	if err := own.dropTables(tx); err != nil {
		return err
	}
	for _, table := range tables {
		if err := tx.Set("gorm:table_options", own.tableOptions(table)).Migrator().CreateTable(table); err != nil {
			return err
		}
	}
	made, err := readShape(tx)
	if err == nil {
		d.shape.Store(&made)
	}
	return err
}
