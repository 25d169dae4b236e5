package dao

import (
	"errors"

	"gorm.io/gorm"

	"versiond/model"
)

// ReportWork has every statement that went through noted as work that is done, for model.WithWork.
func (d *VersionMysqlDao) ReportWork() error {
	if d.DB == nil {
		return nil
	}
	done := func(tx *gorm.DB) {
		if tx.Error == nil {
			model.WorkDone(tx.Statement.Context)
		}
	}
	on := d.DB.Callback()
	const name = "versiond:work"
	return errors.Join(on.Raw().Replace(name, done), on.Row().Replace(name, done), on.Query().Replace(name, done),
		on.Create().Replace(name, done), on.Update().Replace(name, done), on.Delete().Replace(name, done))
}
