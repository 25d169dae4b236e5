package controller

import (
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
	record, opts, timeout := in.newRecord(), in.writeOptions(), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	result, err := v.service.AddVersion(ctx, record, opts)
	if err != nil {
		failRecord(c, result, unknownIfExpired(err))
		return
	}
	c.Header("Location", "/version/"+url.PathEscape(result.Record.ID))
	answerRecord(c, http.StatusCreated, result)
}

// GetVersionByID answers one record.
func (v *VersionController) GetVersionByID(c *gin.Context) {
	in := readInput(c, "level", "min_index", "timeout")
	id, opts, timeout, condition, current := in.id(), in.readOptions(), in.timeout(), in.ifMatch(), in.ifNoneMatch()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	result, err := v.service.GetVersionByID(ctx, id, opts)
	if err != nil {
		failRecord(c, result, err)
		return
	}
	if !condition.allows(result.Record.Revision) {
		failRecord(c, result, condition.refusal())
		return
	}
	if current(entityTag(result.Record.Revision)) {
		answerNotModified(c, result)
		return
	}
	answerRecord(c, http.StatusOK, result)
}

// ListVersions answers one page of records.
func (v *VersionController) ListVersions(c *gin.Context) {
	in := readInput(c, "platform", "prefix", "limit", "cursor", "level", "min_index", "timeout")
	list, opts, timeout := in.listOptions(), in.readOptions(), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	page, index, err := v.service.ListVersions(ctx, list, opts)
	setIndex(c, index)
	if err != nil {
		fail(c, err)
		return
	}
	if page.Items == nil {
		page.Items = []model.VersionDB{} // clients iterate over items without asking whether they are null
	}
	answerJSON(c, http.StatusOK, VersionList{Items: page.Items, NextCursor: model.EncodeCursor(page.Next)})
}

// UpdateVersion replaces a record.
func (v *VersionController) UpdateVersion(c *gin.Context) {
	in := readWrite(c, "newer")
	in.refuseHeader("If-None-Match", "does not go with PUT, which never creates; create with POST /version")
	record, names, condition := in.changedRecord()
	opts, timeout := in.writeOptions(), in.timeout()
	opts.DetailNames, opts.Newer = names, in.newer()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	revision, result, err := v.settle(ctx, record.ID, condition)
	if err == nil {
		opts.IfRevision = revision
		result, err = v.service.UpdateVersion(ctx, record, opts)
	}
	if err != nil {
		failRecord(c, result, unknownIfExpired(err))
		return
	}
	answerRecord(c, http.StatusOK, result)
}

// DeleteVersion deletes a record.
func (v *VersionController) DeleteVersion(c *gin.Context) {
	in := readWrite(c)
	in.refuseHeader("If-None-Match", "does not go with DELETE; use If-Match")
	id, condition, opts, timeout := in.id(), in.ifMatch(), in.writeOptions(), in.timeout()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	revision, result, err := v.settle(ctx, id, condition)
	if err == nil {
		opts.IfRevision = revision
		result, err = v.service.DeleteVersion(ctx, id, opts)
	}
	if err != nil {
		failRecord(c, result, unknownIfExpired(err))
		return
	}
	setIndex(c, result.Index)
	setReplayed(c, result.Replayed)
	c.Status(http.StatusNoContent)
}

func answerRecord(c *gin.Context, status int, result model.Result) {
	setIndex(c, result.Index)
	setReplayed(c, result.Replayed)
	setETag(c, result.Record.Revision)
	answerJSON(c, status, result.Record)
}

func answerNotModified(c *gin.Context, result model.Result) {
	setIndex(c, result.Index)
	setETag(c, result.Record.Revision)
	c.Status(http.StatusNotModified)
}

func answerJSON(c *gin.Context, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		fail(c, err)
		return
	}
	c.Data(status, jsonType, append(body, '\n'))
}
