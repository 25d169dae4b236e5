package controller

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

// VersionList is one page of records in the byte order of their ids.
type VersionList struct {
	Items []model.VersionDB `json:"items"`
	// NextCursor is the cursor of the next page; it is left out on the last one.
	NextCursor string `json:"nextCursor,omitempty"`
}

// AddVersion creates a record.
func (v *VersionController) AddVersion(c *gin.Context) {
	in := readWrite(c)
	in.refuseHeader("If-Match", "does not go with creating a record, which has no revision yet")
	record, opts := in.newRecord(), in.writeOptions()
	c.Set(subjectKey, record.ID)
	in.write(http.StatusCreated, func(ctx context.Context) (model.Result, error) {
		return v.service.AddVersion(ctx, record, opts)
	})
}

// GetVersionByID answers one record.
func (v *VersionController) GetVersionByID(c *gin.Context) {
	in := readInput(c, "level", "min_index", "timeout")
	id, opts, condition, current := in.id(), in.readOptions(), in.ifMatch(), in.ifNoneMatch()
	in.do(func(ctx context.Context) {
		result, err := v.service.GetVersionByID(ctx, id, opts)
		if err == nil && !condition.allows(result.Record.Revision) {
			err = condition.refusal()
		}
		answerRead(c, result, err, current)
	})
}

// ListVersions answers one page of records.
func (v *VersionController) ListVersions(c *gin.Context) {
	in := readInput(c, "platform", "prefix", "limit", "cursor", "level", "min_index", "timeout")
	list, opts := in.listOptions(), in.readOptions()
	ask(in, func(ctx context.Context) (VersionList, error) {
		page, index, err := v.service.ListVersions(ctx, list, opts)
		setIndex(c, index)
		if page.Items == nil {
			page.Items = []model.VersionDB{} // clients iterate over items without asking whether they are null
		}
		return VersionList{Items: page.Items, NextCursor: model.EncodeCursor(page.Next)}, err
	})
}

// UpdateVersion replaces a record.
func (v *VersionController) UpdateVersion(c *gin.Context) {
	in := readWrite(c, "newer")
	in.refuseHeader("If-None-Match", "does not go with PUT, which never creates; create with POST /version")
	record, names, condition := in.changedRecord()
	opts := in.writeOptions()
	opts.DetailNames, opts.Newer = names, in.newer()
	in.write(http.StatusOK, func(ctx context.Context) (result model.Result, err error) {
		if opts.IfRevision, result, err = v.settle(ctx, record.ID, condition); err != nil {
			return result, err
		}
		return v.service.UpdateVersion(ctx, record, opts)
	})
}

// DeleteVersion deletes a record.
func (v *VersionController) DeleteVersion(c *gin.Context) {
	in := readWrite(c)
	in.refuseHeader("If-None-Match", "does not go with DELETE; use If-Match")
	id, condition, opts := in.id(), in.ifMatch(), in.writeOptions()
	in.write(http.StatusNoContent, func(ctx context.Context) (result model.Result, err error) {
		if opts.IfRevision, result, err = v.settle(ctx, id, condition); err != nil {
			return result, err
		}
		return v.service.DeleteVersion(ctx, id, opts)
	})
}

// write has a service write one record, and answers with this status.
func (in *input) write(status int, service func(context.Context) (model.Result, error)) {
	in.do(func(ctx context.Context) {
		result, err := service(ctx)
		if err != nil {
			failRecord(in.c, result, unknownIfExpired(err))
			return
		}
		if status == http.StatusCreated {
			in.c.Header("Location", "/version/"+url.PathEscape(result.Record.ID))
		}
		if status != http.StatusNoContent {
			answerRecord(in.c, status, result)
			return
		}
		setIndex(in.c, result.Index)
		setReplayed(in.c, result.Replayed)
		in.c.Status(status)
	})
}

// answerRead answers the record that a read found, unless the client has it already.
func answerRead(c *gin.Context, result model.Result, err error, current func(tag string) bool) {
	switch {
	case err != nil:
		failRecord(c, result, err)
	case current(entityTag(result.Record.Revision)):
		labelRecord(c, result)
		c.Status(http.StatusNotModified)
	default:
		answerRecord(c, http.StatusOK, result)
	}
}

func answerRecord(c *gin.Context, status int, result model.Result) {
	labelRecord(c, result)
	answerJSON(c, status, result.Record)
}

// labelRecord sets the headers that tell of a record, if there is one.
func labelRecord(c *gin.Context, result model.Result) {
	setIndex(c, result.Index)
	setReplayed(c, result.Replayed)
	if result.Record.Revision != 0 {
		setETag(c, result.Record.Revision)
	}
}

func answerJSON(c *gin.Context, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		fail(c, err)
		return
	}
	c.Data(status, jsonType, append(body, '\n'))
}
