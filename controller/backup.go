package controller

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"versiond/model"
)

const (
	backupType = "application/octet-stream"
	// transferIdleMax ends a transfer in which nothing moves. The server's own time limits are for
	// requests that fit in memory.
	transferIdleMax = 30 * time.Second

	restoreTimeoutDefault = time.Minute
	restoreTimeoutMax     = time.Hour
)

// Backup streams all records as of one moment while writes go on.
//
// @ID           Backup
// @Summary      Back up all records
// @Description  `curl -f localhost:8081/backup -o versiond.backup`
// @Description
// @Description  The file holds the records as of one log index, which X-Versiond-Index names, with their revisions, and ends in a checksum: a download that was cut off is noticed when it is restored. Writes go on meanwhile. level=none works without a leader.
// @Tags         cluster
// @Produce      octet-stream,application/problem+json
// @Param        level      query  string   false  "how current the backup must be, as for one record"  Enums(linearizable, leader, none)  default(linearizable)
// @Param        min_index  query  integer  false  "wait until the node has applied this log index"  example(1042)
// @Param        timeout    query  string   false  "how long it may take to begin, as a Go duration, 60s at most"  default(5s)  example(10s)
// @Success      200  {file}  file  "the backup"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the log index that the backup is of"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token's role may not do this"
// @Failure      429  {object}  Problem  "`too_many_requests`: two backups are being read from this node; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `store_unavailable`, `not_caught_up`, `node_removed`; see Retry-After"
// @Failure      504  {object}  Problem  "`timeout`"
// @Security     Bearer
// @Router       /backup [get]
func (v *VersionController) Backup(c *gin.Context) {
	in := readInput(c, "level", "min_index", "timeout")
	opts, timeout := in.readOptions(), in.timeout()
	if in.failed() {
		return
	}
	opening, cancel := in.withTimeout(timeout)
	defer cancel()
	index, write, err := v.service.OpenBackup(opening, opts)
	if err != nil {
		fail(c, err)
		return
	}
	setIndex(c, index)
	c.Header("Content-Type", backupType)
	c.Header("Content-Disposition", fmt.Sprintf(`attachment; filename="versiond-%d.backup"`, index))
	if err := write(c.Request.Context(), newTransfer(c)); err != nil {
		v.logger.Warn("a backup was broken off", "requestID", requestID(c), "err", err)
		panic(http.ErrAbortHandler) // the client must see that it does not have all of it
	}
}

// Restore puts a backup's records in the place of all records.
//
// @ID           Restore
// @Summary      Restore a backup
// @Description  `curl -X POST localhost:8081/restore -H 'Content-Type: application/octet-stream' -T versiond.backup`, or `versiond restore versiond.backup --url http://localhost:8081`
// @Description
// @Description  The whole file is checked before anything changes. Then its records take the place of all records on every node; the answer comes when the leader holds them. Writes go on until then: what is acknowledged before is replaced, what is acknowledged after stays. Records keep their revisions; those of another cluster's backup get new ones.
// @Tags         cluster
// @Accept       octet-stream
// @Produce      json,application/problem+json
// @Param        backup   body   string   true   "a backup of at most 1 GiB"  format(binary)
// @Param        foreign  query  boolean  false  "true takes another cluster's backup"  default(false)
// @Param        timeout  query  string   false  "how long the cluster may take once the file is received, as a Go duration, 1h at most"  default(1m)  example(10m)
// @Success      200  {object}  model.Restored  "restored"
// @Header       all  {string}  X-Versiond-Node   "the node that served the request"
// @Header       all  {integer}  X-Versiond-Index  "the applied log index that the answer reflects"
// @Header       all  {string}  X-Request-ID      "names the request in logs"
// @Failure      400  {object}  Problem  "`invalid_request`: body is damaged or no backup; foreign must be true for another cluster's"
// @Failure      401  {object}  Problem  "`unauthorized`: the token is missing or not known"
// @Failure      403  {object}  Problem  "`forbidden`: the token's role may not do this; `cross_site`"
// @Failure      413  {object}  Problem  "`body_too_large`: more than 1 GiB"
// @Failure      415  {object}  Problem  "`unsupported_media_type`"
// @Failure      429  {object}  Problem  "`too_many_requests`: another backup is being received or restored, or there was not enough time; nothing was changed; see Retry-After"
// @Failure      500  {object}  Problem  "`internal`"
// @Failure      503  {object}  Problem  "`no_leader`, `node_removed`: nothing was changed; see Retry-After"
// @Failure      504  {object}  Problem  "`outcome_unknown`: the records may or may not be those of the backup, all of them"
// @Security     Bearer
// @Router       /restore [post]
func (v *VersionController) Restore(c *gin.Context) {
	in := readInput(c, "foreign", "timeout")
	in.refusal = cmp.Or(refuseType(c.Request.Header, backupType), refuseLength(c.Request, model.BackupBytesMax))
	opts := model.RestoreOptions{Foreign: in.boolean("foreign", false), Timeout: in.timeoutUpTo(restoreTimeoutMax, restoreTimeoutDefault)}
	if in.failed() {
		return
	}
	transfer := newTransfer(c)
	body := http.MaxBytesReader(c.Writer, transfer, model.BackupBytesMax)
	restored, err := v.service.Restore(c.Request.Context(), body, opts)
	transfer.expectAnswerTaken()
	if err != nil {
		transfer.expectRest() // the server reads some of it before it answers
		fail(c, unknownIfExpired(tooLargeFirst(err)))
		return
	}
	setIndex(c, restored.Index)
	answerJSON(c, http.StatusOK, restored)
}

// tooLargeFirst tells a body that was cut off here from one that came damaged.
func tooLargeFirst(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return bodyTooLarge(tooLarge.Limit)
	}
	return err
}

// transfer is a long body, or a long answer, that may go on for as long as something moves.
type transfer struct {
	io.ReadCloser
	io.Writer
	connection *http.ResponseController
}

// newTransfer lifts the server's time limits for the whole request, which would end its context too.
func newTransfer(c *gin.Context) *transfer {
	t := &transfer{ReadCloser: streamed(c.Request.Body), Writer: c.Writer, connection: http.NewResponseController(c.Writer)}
	_ = t.connection.SetReadDeadline(time.Time{}) // a connection that knows no deadlines has none to lift
	_ = t.connection.SetWriteDeadline(time.Time{})
	return t
}

// Read bounds the wait for the next bytes; after the last ones the request may take its time.
func (t *transfer) Read(p []byte) (int, error) {
	_ = t.connection.SetReadDeadline(time.Now().Add(transferIdleMax))
	n, err := t.ReadCloser.Read(p)
	_ = t.connection.SetReadDeadline(time.Time{})
	return n, err
}

// Write bounds the wait for the client to take what is written, also of what the server still keeps
// when it returns.
func (t *transfer) Write(p []byte) (int, error) {
	t.expectAnswerTaken()
	return t.Writer.Write(p)
}

// expectRest bounds the wait for what was not read of a body.
func (t *transfer) expectRest() {
	_ = t.connection.SetReadDeadline(time.Now().Add(transferIdleMax))
}

// expectAnswerTaken bounds the wait for the client to take what is written from now on.
func (t *transfer) expectAnswerTaken() {
	_ = t.connection.SetWriteDeadline(time.Now().Add(transferIdleMax))
}
