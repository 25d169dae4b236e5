package dao

import (
	"math/bits"

	"gorm.io/gorm"
)

const (
	// mysqlRowsMax makes long statements, since round trips are what an apply waits for there.
	mysqlRowsMax  = 1000
	sqliteRowsMax = 128
)

func mysqlRowsPerStatement(left int) int { return min(left, mysqlRowsMax) }

// sqliteRowsPerStatement returns powers of two, so that there are few statements, which db.OpenSQLite keeps
// prepared.
func sqliteRowsPerStatement(left int) int {
	return 1 << (bits.Len(uint(min(left, sqliteRowsMax))) - 1)
}

const (
	// statementBytesMost bounds what is held of a statement on the way.
	statementBytesMost = 4 << 20
	// statementBytesKept is more than the words of any statement have around its values, rowBytesKept more
	// than a row has around them.
	statementBytesKept = 512
	rowBytesKept       = 192
)

// fit returns how many rows, from the first on, one statement takes by its length, one in any case.
func fit[Row any](d dialect, rows []Row, bytes func(Row) int) int {
	total := statementBytesKept
	for i := range rows {
		// What is quoted may get twice as long.
		if total += 2*bytes(rows[i]) + rowBytesKept; i > 0 && total > d.statementBytesMax {
			return i
		}
	}
	return len(rows)
}

// inStatements has write write rows, as many at a time as one statement takes, one in any case. bytes returns
// how long the values of a row are.
func inStatements[Row any](tx *gorm.DB, rows []Row, bytes func(Row) int, write func(part []Row) *gorm.DB) error {
	d := dialectOf(tx)
	for len(rows) > 0 {
		n := d.rowsPerStatement(fit(d, rows[:d.rowsPerStatement(len(rows))], bytes))
		if err := write(rows[:n]).Error; err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
