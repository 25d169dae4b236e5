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
	NextCursor string `json:"nextCursor,omitempty" example:"AWxpYnN0ZGMrKzY"`
}

// AddVersion creates a record.
//
// @ID           AddVersion
// @Summary      Create a record
// @Description  `curl -i -X POST localhost:8081/version -H 'Content-Type: application/json' -d '{"id":"libstdc++6","versionNo":"14.2.0-19","platform":"linux/amd64"}'`
// @Description
// @Description  id: 1 to 128 bytes, without a slash; versionNo and platform: 1 to 64 characters. No control characters, no blanks at either end.
// @Tags         version
// @Accept       json
// @Produce      json,application/problem+json
// @Param        record   body   VersionBody  true   "the record; unknown fields are refused"
// @Param        Idempotency-Key  header  string  false  "1 to 128 visible ASCII characters; the request may then be sent again, and is done once"  example(8e03978e-40d5-43dd-bc93-6894a57f9324)
// @Param        timeout  query  string       false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      201  {object}  model.VersionDB  "created"
// @Header       201  {string}  ETag             "the revision in double quotes"
// @Header       201  {string}  Location         "the path of the record"
// @Header       all  {string}  X-Versiond-Node  "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Request-ID  "names the request in logs"
// @Header       all  {string}  X-Versiond-Replayed  "true when this is the answer to an earlier request with the same Idempotency-Key"
// @Failure      400  {object}  Problem  "`invalid_request`: every wrong field is listed in errors"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role write; `cross_site`"
// @Failure      409  {object}  Problem  "`already_exists`; ETag has the revision of the record that is there"
// @Failure      413  {object}  Problem  "`body_too_large`: more than 1 MiB"
// @Failure      415  {object}  Problem  "`unsupported_media_type`"
// @Failure      422  {object}  Problem  "`idempotency_key_reused`: the key was used for another request; nothing was changed"
// @Failure      429  {object}  Problem  "`too_many_requests`: nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`: nothing was changed; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: the record may or may not have been created"
// @Security     Bearer
// @Router       /version [post]
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
//
// @ID           GetVersionByID
// @Summary      Read a record
// @Description  `curl -i localhost:8081/version/libstdc++6`
// @Description
// @Description  To read your own write from any node without a quorum round, send the X-Versiond-Index of the write as min_index with level=none.
// @Tags         version
// @Produce      json,application/problem+json
// @Param        id             path    string   true   "id of the record, percent-encoded"  example(libstdc++6)
// @Param        level          query   string   false  "linearizable: everything committed when the read arrived; leader: what the leader has applied; none: what this node has applied, works without a leader"  Enums(linearizable, leader, none)  default(linearizable)
// @Param        min_index      query   integer  false  "wait until the node has applied this log index"  example(1042)
// @Param        timeout        query   string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Param        If-None-Match  header  string   false  "ETags that the client has already, or *"  example("4276224")
// @Param        If-Match       header  string   false  "ETags of which the record must have one, or *"  example("4276224")
// @Success      200  {object}  model.VersionDB   "the record"
// @Header       200  {string}  ETag              "the revision in double quotes"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Success      304  "the client's copy is current"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      404  {object}  Problem  "`not_found`"
// @Failure      412  {object}  Problem  "`revision_mismatch`: If-Match names other revisions; ETag has the record's"
// @Failure      429  {object}  Problem  "`too_many_requests`: too many reads wait; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`timeout`"
// @Security     Bearer
// @Router       /version/{id} [get]
func (v *VersionController) GetVersionByID(c *gin.Context) {
	in := readInput(c, "level", "min_index", "timeout")
	id, opts, condition, current := in.id(), in.readOptions(), in.ifMatch(), in.ifNoneMatch()
	opts.Timeout = in.timeout()
	if in.failed() {
		return
	}
	result, err := v.service.GetVersionByID(c.Request.Context(), id, opts)
	if err != nil {
		failRecord(c, result, err)
		return
	}
	if !condition.allows(result.Record.Revision) {
		failRecord(c, result, condition.refusal())
		return
	}
	if current(result.Record.Revision) {
		answerNotModified(c, result)
		return
	}
	answerRecord(c, http.StatusOK, result)
}

// ListVersions answers one page of records.
//
// @ID           ListVersions
// @Summary      List records
// @Description  `curl 'localhost:8081/version?platform=linux/amd64&limit=2'`
// @Description
// @Description  Pages follow the byte order of the ids. Each page is as current as its own request asks: a record that is created behind the cursor while one pages is not shown.
// @Tags         version
// @Produce      json,application/problem+json
// @Param        platform   query  string   false  "only records of this platform"  example(linux/amd64)
// @Param        limit      query  integer  false  "records a page"  minimum(1)  maximum(1000)  default(100)
// @Param        cursor     query  string   false  "nextCursor of the page before"  example(AWxpYnN0ZGMrKzY)
// @Param        level      query  string   false  "how current the page must be, as for one record"  Enums(linearizable, leader, none)  default(linearizable)
// @Param        min_index  query  integer  false  "wait until the node has applied this log index"  example(1042)
// @Param        timeout    query  string   false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {object}  VersionList  "a page; nextCursor is left out on the last one"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`: also a bad cursor, limit, level, min_index or timeout"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      429  {object}  Problem  "`too_many_requests`: too many reads wait; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`timeout`"
// @Security     Bearer
// @Router       /version [get]
func (v *VersionController) ListVersions(c *gin.Context) {
	in := readInput(c, "platform", "limit", "cursor", "level", "min_index", "timeout")
	list, opts := in.listOptions(), in.readOptions()
	opts.Timeout = in.timeout()
	if in.failed() {
		return
	}
	page, index, err := v.service.ListVersions(c.Request.Context(), list, opts)
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
//
// @ID           UpdateVersion
// @Summary      Replace a record
// @Description  `curl -i -X PUT localhost:8081/version/libstdc++6 -H 'Content-Type: application/json' -H 'If-Match: "4276224"' -d '{"versionNo":"14.2.0-20","platform":"linux/amd64"}'`
// @Description
// @Description  With If-Match, or with the revision that reading it gave in the body, the record is replaced only if nobody changed it since. A record that does not exist is not created.
// @Tags         version
// @Accept       json
// @Produce      json,application/problem+json
// @Param        id        path    string       true   "id of the record, percent-encoded"  example(libstdc++6)
// @Param        record    body    VersionBody  true   "the new content; the id may be left out"
// @Param        If-Match  header  string       false  "the revision that the change depends on, as ETag gave it, a list of which one must be the record's, or *"  example("4276224")
// @Param        Idempotency-Key  header  string  false  "1 to 128 visible ASCII characters; the request may then be sent again, and is done once"  example(8e03978e-40d5-43dd-bc93-6894a57f9324)
// @Param        timeout   query   string       false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {object}  model.VersionDB   "the record as it is now"
// @Header       200  {string}  ETag              "the new revision in double quotes"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Header       all  {string}  X-Versiond-Replayed  "true when this is the answer to an earlier request with the same Idempotency-Key"
// @Failure      400  {object}  Problem  "`invalid_request`: also when the body names another id than the path, or another revision than If-Match"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role write; `cross_site`"
// @Failure      404  {object}  Problem  "`not_found`"
// @Failure      412  {object}  Problem  "`revision_mismatch`: also of every weak tag (W/), which a proxy that compresses makes; ETag has the record's revision"
// @Failure      413  {object}  Problem  "`body_too_large`: more than 1 MiB"
// @Failure      415  {object}  Problem  "`unsupported_media_type`"
// @Failure      422  {object}  Problem  "`idempotency_key_reused`: the key was used for another request; nothing was changed"
// @Failure      429  {object}  Problem  "`too_many_requests`: nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`: nothing was changed; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: the record may or may not have been replaced"
// @Security     Bearer
// @Router       /version/{id} [put]
func (v *VersionController) UpdateVersion(c *gin.Context) {
	in := readWrite(c)
	in.refuseHeader("If-None-Match", "does not go with PUT, which never creates; create with POST /version")
	record, condition := in.changedRecord()
	opts, timeout := in.writeOptions(), in.timeout()
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
//
// @ID           DeleteVersion
// @Summary      Delete a record
// @Description  `curl -i -X DELETE localhost:8081/version/libstdc++6`
// @Tags         version
// @Produce      json,application/problem+json
// @Param        id        path    string  true   "id of the record, percent-encoded"  example(libstdc++6)
// @Param        If-Match  header  string  false  "the revision that the deletion depends on, as ETag gave it, a list of which one must be the record's, or *"  example("4276224")
// @Param        Idempotency-Key  header  string  false  "1 to 128 visible ASCII characters; the request may then be sent again, and is done once"  example(8e03978e-40d5-43dd-bc93-6894a57f9324)
// @Param        timeout   query   string  false  "how long to wait, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      204  "deleted"
// @Header       204  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Header       all  {string}  X-Versiond-Replayed  "true when this is the answer to an earlier request with the same Idempotency-Key"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token has not the role write; `cross_site`"
// @Failure      404  {object}  Problem  "`not_found`"
// @Failure      412  {object}  Problem  "`revision_mismatch`: also of every weak tag (W/), which a proxy that compresses makes; ETag has the record's revision"
// @Failure      422  {object}  Problem  "`idempotency_key_reused`: the key was used for another request; nothing was changed"
// @Failure      429  {object}  Problem  "`too_many_requests`: nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`: nothing was changed; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: the record may or may not have been deleted"
// @Security     Bearer
// @Router       /version/{id} [delete]
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
	c.Data(status, jsonType, append(recordJSON(result.Record), '\n'))
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
