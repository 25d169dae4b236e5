package contact

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"versiond/logs"
)

// daily is what hashicorp/raft warns of on every start, election, hand-over and restart of a member. What
// of it an operator has to know is said in our own words, when it lasts: by contact, which members do not
// answer, and by the service, that nobody leads.
var daily = map[string]bool{
	"heartbeat timeout reached, starting election":                                                                   true,
	"heartbeat timeout reached, not part of a stable configuration or a non-voter, not triggering a leader election": true,
	"Election timeout reached, restarting election":                                                                  true,
	"no known peers, aborting election":                                                                              true,
	"not part of stable configuration, aborting election":                                                            true,
	"new leader elected, stepping down":                                                                              true,
	"failed to contact":                                                                                              true,
	"failed to contact quorum of nodes, stepping down":                                                               true,
	"failed to make requestVote RPC":                                                                                 true,
	"duplicate requestVote from":                                                                                     true,
	"rejecting vote request since we have a leader":                                                                  true,
	"rejecting vote request since node is not in configuration":                                                      true,
	"rejecting vote request since node is not a voter":                                                               true,
	"rejecting vote request since our last term is greater":                                                          true,
	"rejecting vote request since our last index is greater":                                                         true,
	"rejecting pre-vote request since we have a leader":                                                              true,
	"rejecting pre-vote request since node is not in configuration":                                                  true,
	"rejecting pre-vote request since node is not a voter":                                                           true,
	"rejecting pre-vote request since our last term is greater":                                                      true,
	"rejecting pre-vote request since our last index is greater":                                                     true,
	"failed to get previous log":                                                                                     true,
	"previous log term mis-match":                                                                                    true,
	"clearing log suffix":                                                                                            true,
	"appendEntries rejected, sending older logs":                                                                     true,
	"peer has newer term, stopping replication":                                                                      true,
	"skipping application of old log":                                                                                true,
	heartbeatFailed:                                                                                                  true,
	"failed to appendEntries to":                                                                                     true,
	"failed to pipeline appendEntries":                                                                               true,
	"failed to start pipeline replication to":                                                                        true,
	"failed to accept connection":                                                                                    true,
	"failed to decode incoming command":                                                                              true,
	"failed to flush response":                                                                                       true,
}

// NewLogger makes hashicorp's log lines go where ours go, and tells contact, which may be nil, of heartbeats that fail.
func NewLogger(log *slog.Logger, contact *Contact) hclog.Logger {
	intercept := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Output: io.Discard, Level: hclog.Off})
	intercept.RegisterSink(slogSink{log: logs.Calm(log), contact: contact})
	return intercept
}

// slogSink takes hashicorp's lines from its logger.
type slogSink struct {
	log     *slog.Logger
	contact *Contact // nil where nobody is heard
}

// Accept passes one line on. Hashicorp's info is about elections and connections: the daily life of
// a cluster, which is worth no more than debug to an operator, except what this package says itself.
func (s slogSink) Accept(name string, level hclog.Level, msg string, args ...any) {
	to := slogLevel(level)
	if daily[msg] || s.contact.over() || isLogGap(valueOf("error", args)) {
		to = slog.LevelDebug
	}
	if msg == heartbeatFailed {
		s.contact.failed(valueOf("peer", args), valueOf("error", args))
	}
	s.log.Log(context.Background(), to, msg, append([]any{"from", name}, args...)...)
}

// isLogGap reports whether an entry is looked for where the log has none: behind an
// installed snapshot. The member is sent that snapshot then.
func isLogGap(err any) bool {
	e, ok := err.(error)
	return ok && errors.Is(e, raft.ErrLogNotFound)
}

// valueOf finds the value of a key among alternating keys and values.
func valueOf(key string, args []any) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == key {
			return args[i+1]
		}
	}
	return nil
}

func slogLevel(level hclog.Level) slog.Level {
	switch {
	case level >= hclog.Error:
		return slog.LevelError
	case level == hclog.Warn:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
