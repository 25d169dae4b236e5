package dao

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"versiond/model"
)

// plainColumns is how many of versionColumns a record without details has.
const plainColumns = 4

// versionColumns are those of scannedRow.targets.
var versionColumns = []string{"id", "version_no", "platform", "revision",
	"scheme", "min_version_no", "from_version_no", "mandatory", "rollout_percent", "withdrawn", "attributes"}

// scannedRow is a row of the versions table as it is read.
type scannedRow struct {
	model.Version
	scheme, minVersionNo, fromVersionNo, attributes sql.NullString
	mandatory, rolloutPercent, withdrawn            sql.NullInt64
}

func (r *scannedRow) targets() []any {
	return []any{&r.ID, &r.VersionNo, &r.Platform, &r.Revision,
		&r.scheme, &r.minVersionNo, &r.fromVersionNo, &r.mandatory, &r.rolloutPercent, &r.withdrawn, &r.attributes}
}

// version returns the row; model.ErrStoreDiffers where its details cannot be those that were written.
func (r *scannedRow) version() (model.Version, error) {
	d := model.Details{
		Scheme: r.scheme.String, MinVersionNo: r.minVersionNo.String, FromVersionNo: r.fromVersionNo.String,
		Mandatory: r.mandatory.Int64 != 0, Withdrawn: r.withdrawn.Int64 != 0,
	}
	if r.rolloutPercent.Valid {
		percent := uint8(r.rolloutPercent.Int64)
		if d.RolloutPercent = &percent; int64(percent) != r.rolloutPercent.Int64 {
			return r.Version, fmt.Errorf("%w: record %q has a rollout_percent of %d", model.ErrStoreDiffers, r.ID, r.rolloutPercent.Int64)
		}
	}
	if r.attributes.Valid {
		if err := json.Unmarshal([]byte(r.attributes.String), &d.Attributes); err != nil {
			return r.Version, fmt.Errorf("%w: the attributes of record %q: %w", model.ErrStoreDiffers, r.ID, err)
		}
	}
	r.Details = d.OrNil()
	return r.Version, nil
}
