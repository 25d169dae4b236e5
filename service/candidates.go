package service

import (
	"context"
	"errors"
	"fmt"

	"versiond/model"
	"versiond/service/versions"
)

// Candidates returns the records that a question for the newest version is about, and the applied index that they reflect. Its
// errors are those of ListVersions, and a *model.ValidationError when they are more than
// model.CandidatesMax.
func (s *VersionService) Candidates(ctx context.Context, which model.Candidates, opts model.ReadOptions) (versions.Ranked, uint64, error) {
	found, index, err := s.reads.read(ctx, model.Query{Candidates: &which}, opts)
	if err != nil {
		return versions.Ranked{}, index, err
	}
	if found.Page.Next != "" {
		return versions.Ranked{}, index, model.Invalid("prefix", fmt.Sprintf(
			"finds more than %d records; make it longer, add a platform, or name the ids", model.CandidatesMax))
	}
	return s.reads.lookup.candidates.Rank(which, found.Page.Items), index, nil
}

// candidatesFromMemory answers a question that was asked before, or that is about one id whose record memory has. The latter
// is what most clients ask. It is read as that record is, and takes no place among the questions that are kept while memory
// has it.
func (l *lookup) candidatesFromMemory(which model.Candidates) (found model.Found, known bool) {
	if len(which.IDs) == 1 && which.Platform == "" {
		if one, known := l.recordFromMemory(which.IDs[0]); known && one.Exists {
			return model.Found{Page: &model.Page{Items: []model.VersionDB{one.Record}}, Index: one.Reflects()}, true
		}
	}
	records, index, kept := l.candidates.Get(which)
	return model.Found{Page: &model.Page{Items: records}, Index: index}, kept
}

// errTooMany means that there are more candidates than a question may be about.
var errTooMany = errors.New("too many candidates")

// storedCandidates reads candidates from the caches and the database. Where there are too many of them it returns a page
// that has only a Next.
func (l *lookup) storedCandidates(ctx context.Context, which model.Candidates) (found model.Found, err error) {
	page := &model.Page{}
	page.Items, found.Index, err = l.candidates.Load(ctx, which, l.node.AppliedIndex, func(ctx context.Context) ([]model.VersionDB, uint64, error) {
		if len(which.IDs) > 0 {
			records, err := l.storedList(ctx, which)
			return records, 0, err
		}
		all, stored, err := l.storedPage(ctx, model.ListOptions{Prefix: which.Prefix, Platform: which.Platform, Limit: model.CandidatesMax})
		if page.Next = all.Next; err == nil && all.Next != "" {
			return nil, stored, errTooMany
		}
		return all.Items, stored, err
	})
	if errors.Is(err, errTooMany) {
		err = nil
	}
	found.Page = page
	return found, err
}

// storedList reads the records of a list of ids, and of a platform, that there are. All that it has seen is applied by then.
func (l *lookup) storedList(ctx context.Context, which model.Candidates) (records []model.VersionDB, err error) {
	seen := uint64(0)
	for _, id := range which.IDs {
		row, err := l.storedRecord(ctx, id)
		if errors.Is(err, model.ErrNotFound) {
			seen = max(seen, l.node.StoredIndex()) // no later entry has deleted it
			continue
		}
		if err != nil {
			return nil, err
		}
		seen = max(seen, model.IndexOf(row.Revision))
		if which.Platform == "" || row.Platform == which.Platform {
			records = append(records, convertToRecord(row))
		}
	}
	return records, l.node.WaitApplied(ctx, seen)
}
