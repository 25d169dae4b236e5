package versions

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"

	"versiond/model"
)

// What a client is told to do.
const (
	UpdateNone      = "none"
	UpdateOptional  = "optional"
	UpdateMandatory = "mandatory"
	// UpdateDowngrade is for a client whose own version was withdrawn.
	UpdateDowngrade = "downgrade"
)

// Advice is what a client is told of its version.
type Advice struct {
	Update  string `json:"update"`
	Current string `json:"current"`
	// Latest is the record of the version that the client may have; absent when there is none for it.
	Latest *model.VersionDB `json:"latest,omitempty"`
	// MinVersionNo is what Latest says of clients that must update.
	MinVersionNo string `json:"minVersionNo,omitempty"`
	// Supported reports whether the client's version does not come before MinVersionNo.
	Supported bool `json:"supported"`
	// Ahead reports whether Update is none because the client's version comes after Latest.
	Ahead  bool   `json:"ahead"`
	Scheme string `json:"scheme"`
}

// Advise returns whether a client with the version current should update, to which of the records: the highest version that
// is not withdrawn, takes clients of that version and has this client in its rollout. client names it, the same each time; a
// client without a name is in no rollout of less than 100 percent.
//
// model.ErrNotFound when there are no records; a *model.ValidationError when they have different schemes, or theirs cannot
// order current.
func (r Ranked) Advise(current, client string) (Advice, error) {
	if len(r.records) == 0 {
		return Advice{}, model.Explain(model.ErrNotFound, "there is no record among those that are asked for")
	}
	if r.wrong != nil {
		return Advice{}, r.wrong
	}
	if fields := r.scheme.refuse("current", current); len(fields) > 0 {
		return Advice{}, &model.ValidationError{Fields: fields}
	}
	advice := Advice{Update: UpdateNone, Current: current, Supported: true, Scheme: r.scheme.name}
	winner := r.winner(current, client)
	if winner == nil {
		return advice, nil
	}
	advice.Latest, advice.MinVersionNo = winner, detailsOf(*winner).MinVersionNo
	advice.Supported = advice.MinVersionNo == "" || r.scheme.order(current, advice.MinVersionNo) >= 0
	switch order := r.behind(current, *winner); {
	case order > 0 && (!advice.Supported || r.mustLeave(current, *winner)):
		advice.Update = UpdateMandatory
	case order > 0:
		advice.Update = UpdateOptional
	case order < 0 && r.isWithdrawn(current):
		advice.Update = UpdateDowngrade
	case order < 0:
		advice.Ahead = true
	}
	return advice, nil
}

// winner returns the newest record that a client may have, nil when there is none.
func (r Ranked) winner(current, client string) *model.VersionDB {
	for i := range r.records {
		d := detailsOf(r.records[i])
		if !d.Withdrawn && (d.FromVersionNo == "" || r.scheme.order(d.FromVersionNo, current) <= 0) && inRollout(r.records[i], client) {
			return &r.records[i]
		}
	}
	return nil
}

// behind returns 1 when current comes before a record, -1 when it comes after it, and 0 when it is the record's. By published
// a client is at the record that has its version number, and before all when there is none.
func (r Ranked) behind(current string, record model.VersionDB) int {
	switch {
	case r.scheme.name != Published:
		return r.scheme.order(record.VersionNo, current)
	case record.VersionNo == current: // others may have it too
		return 0
	}
	at := uint64(0)
	for _, own := range r.records {
		if own.VersionNo == current {
			at = own.Revision
			break
		}
	}
	return cmp.Compare(record.Revision, at)
}

// mustLeave reports whether a mandatory version lies behind current, up to the winner.
func (r Ranked) mustLeave(current string, winner model.VersionDB) bool {
	for _, record := range r.mandatory {
		if r.compare(record, winner) <= 0 && r.behind(current, record) > 0 {
			return true
		}
	}
	return false
}

// isWithdrawn reports whether there is a record of the client's own version that was withdrawn, and none that was not.
func (r Ranked) isWithdrawn(current string) bool {
	if !r.withdrawn {
		return false
	}
	withdrawn := false
	for _, record := range r.records {
		if r.behind(current, record) == 0 {
			if !detailsOf(record).Withdrawn {
				return false
			}
			withdrawn = true
		}
	}
	return withdrawn
}

// buckets is how fine a rollout is: a hundredth of a percent.
const buckets = 10_000

// inRollout reports whether a record's version is for a client.
func inRollout(record model.VersionDB, client string) bool {
	percent := detailsOf(record).RolloutPercent
	if percent == nil || *percent >= 100 {
		return true
	}
	return client != "" && bucket(record.ID, record.VersionNo, client) < uint64(*percent)*buckets/100
}

// bucket is where a client is in the rollout of a version. It can never change: clients would fall out of rollouts that they
// were in.
func bucket(id, versionNo, client string) uint64 {
	sum := sha256.Sum256([]byte(id + "\x00" + versionNo + "\x00" + client))
	return binary.BigEndian.Uint64(sum[:8]) % buckets
}
