package cli

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"versiond/client"
)

// screen is where a command prints: answers to out, what it is doing to err.
type screen struct {
	out  *bufio.Writer
	err  io.Writer
	json bool
	// colour is set when out is a terminal, and NO_COLOR is not set.
	colour bool
}

func newScreen(cmd *cobra.Command, format string) *screen {
	return &screen{out: bufio.NewWriter(cmd.OutOrStdout()), err: cmd.ErrOrStderr(), json: format == "json", colour: isTerminal(cmd.OutOrStdout()) && os.Getenv("NO_COLOR") == ""}
}

func (s *screen) flush() error { return s.out.Flush() }

// isTerminal reports whether a person looks at what is written there.
func isTerminal(w io.Writer) bool {
	file, is := w.(*os.File)
	if !is {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// answer prints one answer: as JSON, or as table does.
func (s *screen) answer(value any, table func(w io.Writer)) error {
	if s.json {
		return json.NewEncoder(s.out).Encode(value)
	}
	w := newTable(s.out)
	table(w)
	return w.Flush()
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(&trimmer{to: w}, 0, 8, 2, ' ', 0)
}

// trimmer leaves out blanks that end a line, as a table has them after its last cells.
type trimmer struct {
	to io.Writer
	// blanks is how many were held back.
	blanks int
}

func (t *trimmer) Write(p []byte) (int, error) {
	kept := make([]byte, 0, len(p)+t.blanks)
	for _, b := range p {
		switch b {
		case ' ':
			t.blanks++
			continue
		case '\n':
			t.blanks = 0
		}
		for ; t.blanks > 0; t.blanks-- {
			kept = append(kept, ' ')
		}
		kept = append(kept, b)
	}
	_, err := t.to.Write(kept)
	return len(p), err
}

// row prints one row of a table.
func row(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = fmt.Sprint(cell)
	}
	fmt.Fprintln(w, strings.Join(texts, "\t"))
}

// The colours of a screen, by what they mean.
const (
	good, warning, bad = "\x1b[32m", "\x1b[33m", "\x1b[31m"
	plain              = "\x1b[0m"
)

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return colour + text + plain
}

// progress prints on stderr how far long work is: on a terminal in one line that changes, elsewhere in a line now and then.
type progress struct {
	w        io.Writer
	terminal bool
	every    time.Duration
	last     time.Time
	shown    bool
}

func (s *screen) progress() *progress {
	p := &progress{w: s.err, terminal: isTerminal(s.err), every: 10 * time.Second, last: time.Now()}
	if p.terminal {
		p.every = 200 * time.Millisecond
	}
	return p
}

// say prints how far it is, unless it has just done so.
func (p *progress) say(format string, args ...any) {
	if time.Since(p.last) < p.every {
		return
	}
	p.last, p.shown = time.Now(), true
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
	} else {
		fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// clear takes the line away.
func (p *progress) clear() {
	if p.terminal && p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// problem is an error in JSON, for programs that asked for that form.
type problem struct {
	Code      client.Code         `json:"code"`
	Detail    string              `json:"detail"`
	Status    int                 `json:"status,omitempty"`
	Errors    []client.FieldError `json:"errors,omitempty"`
	Revision  uint64              `json:"revision,omitempty"`
	Node      string              `json:"node,omitempty"`
	RequestID string              `json:"requestId,omitempty"`
}

func problemOf(err error) problem {
	var e *client.Error
	var usage *errUsage
	switch {
	case errors.As(err, &e):
		return problem{Code: e.Code, Detail: e.Detail, Status: e.Status, Errors: e.Fields, Revision: e.Revision, Node: e.Node, RequestID: e.RequestID}
	case errors.As(err, &usage):
		return problem{Code: "usage", Detail: usage.err.Error()}
	}
	return problem{Code: "other", Detail: err.Error()}
}

// printError prints what went wrong: as JSON where that was asked for, otherwise in words, with what helps.
func printError(w io.Writer, err error, asJSON bool) {
	var code exitWith
	switch {
	case errors.As(err, &code):
	case asJSON:
		_ = json.NewEncoder(w).Encode(problemOf(err)) // there is nobody left to tell
	default:
		fmt.Fprintf(w, "versiond: %v\n", err)
		if advice := adviceOn(err); advice != "" {
			fmt.Fprintln(w, advice)
		}
	}
}

// adviceOn returns what helps where the cluster cannot know it: on this side of the connection.
func adviceOn(err error) string {
	switch {
	case errors.Is(err, client.ErrUnauthorized):
		return "Give the secret of a token with VERSIOND_TOKEN, VERSIOND_TOKEN_FILE or --token-file."
	case errors.Is(err, client.ErrOutcomeUnknown):
		return "Look whether it was done before you try again."
	case errors.Is(err, client.ErrRevisionMismatch):
		return "Somebody else has changed it: read it again."
	case errors.Is(err, client.ErrRevisionGone):
		return "versiond watch --all begins anew."
	case errors.Is(err, client.ErrNotVersiond):
		return "Is this the public port of a node, with nothing on the way that answers in its place, or changes what it says? http:// and https:// are two things, and so are 8081 and 7001."
	case isUntrusted(err):
		return adviceOnTrust
	case errors.Is(err, client.ErrUnavailable):
		return "versiond status says how the cluster does; --url or VERSIOND_URL names other nodes."
	}
	return ""
}

const adviceOnTrust = "Name the authority that signed the nodes' certificates with --ca or VERSIOND_CA_FILE, and call the nodes as their certificates do."

// isUntrusted reports whether a node has shown a certificate that is not believed.
func isUntrusted(err error) bool {
	var untrusted *tls.CertificateVerificationError
	return errors.As(err, &untrusted)
}
