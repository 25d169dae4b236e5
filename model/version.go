// Package model holds the words that every layer shares: records, commands, outcomes, positions in
// the log and the errors that cross package borders. It imports nothing of the project.
package model

// Version is one row of the versions table, which is made from its tags: an id has up to 128 bytes, the other
// words have up to 64 characters.
//
// Revision is unique in the life of a cluster and only grows (docs/design.md); it is what an
// ETag carries and what judges whether a cached value is current.
type Version struct {
	ID        string `gorm:"primaryKey;size:128;not null"`
	VersionNo string `gorm:"not null;size:64"`
	Platform  string `gorm:"not null;size:64;index:versions_platform"`
	*Details
	Revision uint64 `gorm:"not null"`
}

// TableName fixes the name that operators see in their database.
func (Version) TableName() string { return "versions" }

// VersionDB is the same record as users send and get it.
//
// Revision is the cluster's to give. In a change that a client sends it is the one that the record must still have.
type VersionDB struct {
	ID        string `json:"id" validate:"required"`
	VersionNo string `json:"versionNo" validate:"required"`
	Platform  string `json:"platform" validate:"required"`
	*Details
	Revision uint64 `json:"revision"`
}

// Page is one page of a listing in the byte order of the ids.
type Page struct {
	Items []VersionDB
	// Next is the id after which the next page begins; empty when this page is the last.
	Next string
}
