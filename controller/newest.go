package controller

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/service/versions"
)

// LatestVersion answers the record with the newest version.
func (v *VersionController) LatestVersion(c *gin.Context) {
	in := readInput(c, "id", "prefix", "platform", "level", "min_index", "timeout")
	which, opts, timeout, current := in.candidates(), in.readOptions(), in.timeout(), in.ifNoneMatch()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	records, index, err := v.service.Candidates(ctx, which, opts)
	result := model.Result{Index: index}
	if err == nil {
		result.Record, err = versions.Newest(records)
	}
	switch {
	case err != nil:
		failRecord(c, result, err)
	case current(entityTag(result.Record.Revision)):
		answerNotModified(c, result)
	default:
		answerRecord(c, http.StatusOK, result)
	}
}

// CheckVersion answers whether a client should update, and to which record.
func (v *VersionController) CheckVersion(c *gin.Context) {
	in := readInput(c, "id", "prefix", "platform", "current", "client", "none", "level", "min_index", "timeout")
	which, opts, timeout := in.candidates(), in.readOptions(), in.timeout()
	current, client, noContent, known := in.versionNo("current"), in.client(), in.noContent(), in.ifNoneMatch()
	if in.failed() {
		return
	}
	ctx, cancel := in.withTimeout(timeout)
	defer cancel()
	records, index, err := v.service.Candidates(ctx, which, opts)
	setIndex(c, index)
	var advice versions.Advice
	if err == nil {
		advice, err = versions.Advise(records, current, client)
	}
	switch {
	case err != nil:
		fail(c, err)
	case noContent && advice.Update == versions.UpdateNone:
		c.Status(http.StatusNoContent)
	default:
		answerAdvice(c, advice, known)
	}
}

// answerAdvice answers with a tag of what the advice says, as no revision tells it: it follows from several records.
func answerAdvice(c *gin.Context, advice versions.Advice, known func(tag string) bool) {
	body, err := json.Marshal(advice)
	if err != nil {
		fail(c, err)
		return
	}
	sum := sha256.Sum256(body)
	tag := fmt.Sprintf(`"%x"`, sum[:8])
	c.Writer.Header()["Etag"] = []string{tag}
	if known(tag) {
		c.Status(http.StatusNotModified)
		return
	}
	c.Data(http.StatusOK, jsonType, append(body, '\n'))
}

// candidates returns the records that a question is about.
func (in *input) candidates() (which model.Candidates) {
	which.Platform, which.Prefix = in.platform(), in.prefix()
	list, sent := in.parameter("id")
	if sent {
		which.IDs = in.listOfIDs(list)
	}
	switch {
	case sent && which.Prefix != "":
		in.wrong("prefix", "does not go with id; ask for a list of ids, or for those with a prefix")
	case !sent && which.Prefix == "" && which.Platform == "":
		in.wrong("id", "is required, or prefix or platform: which records are asked for, such as id=myapp-ios,myapp-ios-beta")
	}
	return which
}

// listOfIDs reads a list of ids; one that has a comma itself cannot be in it.
func (in *input) listOfIDs(list string) []string {
	ids := strings.Split(list, ",")
	if len(ids) > model.CandidatesMax {
		in.wrong("id", fmt.Sprintf("must be at most %d ids, such as myapp-ios,myapp-ios-beta", model.CandidatesMax))
		return nil
	}
	for _, id := range ids {
		in.merge(model.ValidateID(id))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// client returns the name that puts a client into rollouts.
func (in *input) client() string {
	client, sent := in.parameter("client")
	if sent && len(client) > model.IDBytesMax {
		in.wrong("client", "must be at most 128 bytes long, such as a UUID")
	}
	return client
}

// noContent reports whether a client wants 204 where there is no update, as Squirrel and Tauri do.
func (in *input) noContent() bool {
	value, sent := in.parameter("none")
	if sent && value != "204" {
		in.wrong("none", "must be 204, which is then the status of the answer that there is no update, or be left out")
	}
	return sent
}
