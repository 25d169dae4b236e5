package controller

import (
	"cmp"
	"context"
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
func (v *VersionController) Backup(c *gin.Context) {
	in := readInput(c, "level", "min_index", "timeout")
	opts := in.readOptions()
	in.do(func(opening context.Context) {
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
	})
}

// Restore puts a backup's records in the place of all records.
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

// tooLargeFirst returns the error of a body that is too large, where err comes from one, and otherwise err: a body that was
// cut off here did not come damaged.
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

// flush sends what was written.
func (t *transfer) flush() {
	t.expectAnswerTaken()
	_ = t.connection.Flush() // a client that is gone is noticed with the next write
}
