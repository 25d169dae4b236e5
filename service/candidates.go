package service

import (
	"context"
	"fmt"

	"versiond/model"
)

// Candidates returns the records that a question for the newest version is about, in no certain order, and the applied
// index that they reflect. Its errors are those of ListVersions, and a *model.ValidationError when they are more than
// model.CandidatesMax.
func (s *VersionService) Candidates(ctx context.Context, which model.Candidates, opts model.ReadOptions) ([]model.VersionDB, uint64, error) {
	if len(which.IDs) > 0 {
		return s.listed(ctx, which, opts)
	}
	list := model.ListOptions{Prefix: which.Prefix, Platform: which.Platform, Limit: model.CandidatesMax}
	page, index, err := s.ListVersions(ctx, list, opts)
	if err == nil && page.Next != "" {
		err = &model.ValidationError{Fields: []model.FieldError{{Field: "prefix", Detail: fmt.Sprintf(
			"finds more than %d records; make it longer, add a platform, or name the ids", model.CandidatesMax)}}}
	}
	return page.Items, index, err
}

// listed returns those of a list of ids, and of a platform, that there are.
func (s *VersionService) listed(ctx context.Context, which model.Candidates, opts model.ReadOptions) ([]model.VersionDB, uint64, error) {
	queries := make([]model.Query, len(which.IDs))
	for i, id := range which.IDs {
		queries[i].ID = id
	}
	found, index, err := s.reads.readAll(ctx, queries, opts)
	if err != nil {
		return nil, 0, err
	}
	var records []model.VersionDB
	for _, each := range found {
		if each.Exists && (which.Platform == "" || each.Record.Platform == which.Platform) {
			records = append(records, each.Record)
		}
	}
	return records, index, nil
}
