package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Backup writes all records, as they are at one log index, to w, and returns that index. It checks what comes by the
// checksum at its end: after an error w does not have a whole and undamaged backup.
func (c *Client) Backup(ctx context.Context, w io.Writer, opts ...ReadOption) (index uint64, err error) {
	a, err := c.do(ctx, &request{method: http.MethodGet, path: "/backup", query: c.readQuery(opts), streamed: true})
	if err != nil {
		return 0, err
	}
	defer a.stream.Close()
	if err := copyBackup(w, a.stream); err != nil {
		if errors.Is(err, errNoBackup) {
			err = a.unreadable(err.Error(), err)
		}
		return 0, err
	}
	return indexOf(a.header), nil
}

// streamIdleMax ends a stream, or a download, in which nothing comes, and an upload of which nothing is taken.
const streamIdleMax = 30 * time.Second

// stream is the body of an answer that ends when nothing comes any more.
type stream struct {
	body   io.ReadCloser
	cancel context.CancelFunc
	at     *address
}

// Read waits for streamIdleMax at most. An error other than io.EOF is an *Error.
func (s *stream) Read(p []byte) (int, error) {
	alarm := time.AfterFunc(streamIdleMax, s.cancel)
	defer alarm.Stop()
	n, err := s.body.Read(p)
	if errors.Is(err, context.Canceled) && !alarm.Stop() {
		err = errLate
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = noAnswer(s.at, err)
	}
	return n, err
}

// Close ends the request; what has not come yet is dropped.
func (s *stream) Close() error {
	s.cancel()
	return s.body.Close()
}

// RestoreOptions set how a backup is to be restored.
type RestoreOptions struct {
	// Foreign takes a backup of another cluster.
	Foreign bool
	// Timeout is how long the cluster may take once it has the file and has checked it, a minute when it is 0, an hour at most.
	// Restore gives up a node that takes nothing of the file for 30 seconds, or has not answered five minutes after this time.
	Timeout time.Duration
}

// Restored is what a restore has done.
type Restored struct {
	// Records is how many records there are now.
	Records uint64 `json:"records"`
	// Index is the log index from which on they are what the cluster holds.
	Index uint64 `json:"index"`
}

// Restore puts the records of a backup in the place of all records. When the error is ErrOutcomeUnknown, see whether they
// are there before you try again. A backup that can be rewound, such as a file, is sent to another node when the first one
// refuses to take it.
func (c *Client) Restore(ctx context.Context, backup io.Reader, opts RestoreOptions) (Restored, error) {
	file, err := newUpload(backup)
	if err != nil {
		return Restored{}, err
	}
	r := &request{method: http.MethodPost, path: "/restore", manner: once, upload: file, within: opts.Timeout}
	if r.within == 0 {
		r.within = time.Minute
	}
	r.query = url.Values{"foreign": {strconv.FormatBool(opts.Foreign)}}
	return ask[Restored](ctx, c, r)
}

// upload is a long body.
type upload struct {
	from io.Reader
	// size is -1 where it is not known.
	size  int64
	start int64
	sent  *uploading
}

func newUpload(from io.Reader) (*upload, error) {
	u := &upload{from: from, size: -1}
	seeker, can := from.(io.Seeker)
	if !can {
		return u, nil
	}
	start, errStart := seeker.Seek(0, io.SeekCurrent)
	if errStart != nil {
		return u, nil // a pipe calls itself a file
	}
	end, errEnd := seeker.Seek(0, io.SeekEnd)
	_, errBack := seeker.Seek(start, io.SeekStart)
	u.start, u.size = start, end-start
	return u, errors.Join(errEnd, errBack)
}

// into makes it the body of a request, from its beginning on. A file takes as long as it takes, but alarm goes off when a node
// takes nothing more of it, and wait after the end.
func (u *upload) into(r *http.Request, alarm *time.Timer, wait time.Duration) {
	if u.sent != nil && u.size >= 0 {
		_ = u.sent.Close()
		_, _ = u.from.(io.Seeker).Seek(u.start, io.SeekStart) // it could before
	}
	u.sent = &uploading{from: u.from, alarm: alarm, wait: wait}
	r.Body, r.ContentLength = u.sent, u.size
	if u.size == 0 {
		r.Body = http.NoBody
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Expect", "100-continue") // who refuses does not want the file
}

// spent ends the last sending, and reports whether the body cannot be sent again.
func (u *upload) spent() bool {
	if u == nil || u.sent == nil {
		return false
	}
	_ = u.sent.Close() // whoever begins to read now would take from the next one
	return u.size < 0 && u.sent.begun()
}

// uploading is a body on its way. The transport may go on to read it when the answer is there; once it is closed it leaves
// what it was made of alone.
type uploading struct {
	mu    sync.Mutex
	from  io.Reader
	read  bool
	alarm *time.Timer
	wait  time.Duration
}

func (u *uploading) begun() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.read
}

// Read reads on, unless the body was closed.
func (u *uploading) Read(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.from == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	u.read = true
	u.alarm.Stop() // the node cannot take what is not there yet
	n, err := u.from.Read(p)
	if err != nil {
		u.alarm.Reset(u.wait)
	} else {
		u.alarm.Reset(streamIdleMax)
	}
	return n, err
}

// Close waits for a Read that is under way.
func (u *uploading) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.from = nil
	return nil
}
