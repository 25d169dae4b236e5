package raft

import (
	"context"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// newHCLogger makes hashicorp's log lines go where ours go.
func newHCLogger(log *slog.Logger) hclog.Logger {
	intercept := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Output: io.Discard, Level: hclog.Off})
	intercept.RegisterSink(slogSink{log})
	return intercept
}

// slogSink takes hashicorp's lines from its logger.
type slogSink struct{ log *slog.Logger }

// Accept passes one line on. Hashicorp's info is about elections and connections: the daily life of
// a cluster, which is worth no more than debug to an operator, except what this package says itself.
func (s slogSink) Accept(name string, level hclog.Level, msg string, args ...any) {
	s.log.Log(context.Background(), slogLevel(level), msg, append([]any{"from", name}, args...)...)
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
