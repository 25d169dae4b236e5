package dao

import (
	"database/sql/driver"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"versiond/model"
)

// moment is a time in Unix milliseconds, which is a time in UTC to other programs, and NULL when it is 0.
type moment int64

// momentForm is how SQLite's functions read a time, and MySQL takes one.
const momentForm = "2006-01-02 15:04:05.000"

// GormDBDataType implements migrator.GormDataTypeInterface.
func (moment) GormDBDataType(tx *gorm.DB, _ *schema.Field) string {
	if tx.Name() == "sqlite" {
		return "text"
	}
	return "datetime(3)"
}

// Value implements driver.Valuer.
func (m moment) Value() (driver.Value, error) {
	if m == 0 {
		return nil, nil
	}
	return time.UnixMilli(int64(m)).UTC().Format(momentForm), nil
}

// Scan implements sql.Scanner: model.ErrStoreDiffers for what no node has written. What the drivers give depends on the
// settings of the DSN.
func (m *moment) Scan(value any) error {
	var text string
	switch v := value.(type) {
	case nil:
		*m = 0
		return nil
	case time.Time:
		*m = moment(v.UnixMilli())
		return nil
	case []byte:
		text = string(v)
	case string:
		text = v
	default:
		return fmt.Errorf("%w: the time of a change is a %T", model.ErrStoreDiffers, value)
	}
	at, err := time.Parse(momentForm, text)
	if err != nil {
		return fmt.Errorf("%w: the time of a change: %w", model.ErrStoreDiffers, err)
	}
	*m = moment(at.UnixMilli())
	return nil
}
