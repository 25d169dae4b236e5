package model

import (
	"errors"
	"fmt"
)

// ChangeOp is what a write made of a record.
type ChangeOp string

// What a write may have made of a record.
const (
	ChangeCreate ChangeOp = "create"
	ChangeUpdate ChangeOp = "update"
	ChangeDelete ChangeOp = "delete"
)

// ChangesMax is how many changes are kept at most. Every node keeps the same ones, so it cannot be another in the life of a
// cluster.
const ChangesMax = 200_000

// Change is what one command made of one record, and one row of the version_changes table, which is made from its tags.
// Each command that was done is one change. Its order is that of the revisions; At and By only inform.
type Change struct {
	Revision uint64   `gorm:"primaryKey;autoIncrement:false;not null"`
	Op       ChangeOp `gorm:"size:8;not null"`
	ID       string   `gorm:"size:128;not null"`
	// VersionNo is the record's from then on; a delete has none.
	VersionNo string `gorm:"size:64;serializer:nullable"`
	// Platform is the record's from then on; that of a delete is what the record had.
	Platform string `gorm:"size:64;not null"`
	// WasPlatform is what the record had before an update that changed its platform, and empty otherwise.
	WasPlatform string `gorm:"size:64;serializer:nullable"`
	// Details are the record's from then on; a delete has none.
	*Details
	// At is when the node that took the request had it, in Unix milliseconds; 0 where that is not known. In the table,
	// where it is changed_at, it is a time in UTC.
	At int64 `gorm:"-"`
	// By is the name of the token of whoever asked for it; empty where there was none.
	By string `gorm:"column:changed_by;size:128;serializer:nullable"`
}

// TableName fixes the name that operators see in their database.
func (Change) TableName() string { return "version_changes" }

// Record returns the record as the change left it. There is none after a delete.
func (c *Change) Record() VersionDB {
	return VersionDB{ID: c.ID, VersionNo: c.VersionNo, Platform: c.Platform, Details: c.Details, Revision: c.Revision}
}

// Validate returns nil, or an error that says what no node has written.
func (c *Change) Validate() error {
	origin := Origin{At: c.At, By: c.By}
	switch {
	case c.Revision == 0 || !origin.Valid():
		return fmt.Errorf("%w: a change of %q has no revision, or an origin that no node gives", ErrCorrupt, c.ID)
	case c.WasPlatform != "" && ValidateText("platform", c.WasPlatform) != nil:
		return ValidateText("platform", c.WasPlatform)
	case c.Op == ChangeDelete:
		return errors.Join(ValidateID(c.ID), ValidateText("platform", c.Platform))
	}
	return ValidateRecord(c.Record())
}
