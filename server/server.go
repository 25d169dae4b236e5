// Package server serves HTTP on a port of a node to clients as they are: slow ones, half closed ones, ones that are
// gone, and more of them than the process has files for.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"versiond/logs"
)

const (
	// readHeaderTimeout and readTimeout end clients that send a byte a second. readTimeout is above the
	// longest ?timeout=, because a handler's context ends with it. writeTimeout, from the header on, ends
	// clients that do not take their answer. Handlers set shorter ones for bodies, and lift both for
	// backups.
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 65 * time.Second
	writeTimeout      = readTimeout + 30*time.Second
	idleTimeout       = 2 * time.Minute
	// headerBytesMax takes a browser's cookies for localhost.
	headerBytesMax = 32 << 10
	// drainTimeout bounds the wait for requests that are being served when a server stops. Those that wait longer are told
	// that their time is over, and have answerTimeout to say so.
	drainTimeout  = 1700 * time.Millisecond
	answerTimeout = 300 * time.Millisecond
)

// Server answers the requests of one port.
type Server struct {
	http     *http.Server
	listener net.Listener
	// end ends the contexts of all requests.
	end context.CancelFunc
}

// Port is where a server listens, and how.
type Port struct {
	Listener net.Listener
	// TLS is how clients are served by it, nil where they are not.
	TLS *tls.Config
	// TLSSetting is what has them served so.
	TLSSetting string
	// ConnectionsMax is how many connections are kept at most.
	ConnectionsMax int
	// AsProblem returns an answer that net/http makes by itself in the form of all others, and any other as it is.
	AsProblem func([]byte) []byte
	// NeedsTLS returns the answer to plain HTTP on a port for TLS.
	NeedsTLS func() []byte
}

// New makes a server of a port.
func New(port Port, handler http.Handler, log *slog.Logger) *Server {
	log = log.With("address", port.Listener.Addr())
	room := newConnections(port.ConnectionsMax, log)
	serving := Bounded(handler)
	serving.ConnState, serving.ErrorLog = room.changed, slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	requests, end := context.WithCancel(context.Background())
	serving.BaseContext = func(net.Listener) context.Context { return requests }
	return &Server{
		end: end,
		listener: &clientListener{
			Listener: room.on(port.Listener), tls: port.TLS, tlsSetting: port.TLSSetting, asProblem: port.AsProblem, needsTLS: port.NeedsTLS,
			stopsSending: room.stopsSending, log: logs.Calm(log),
		},
		http: serving,
	}
}

// Bounded returns what serves HTTP with the bounds on time and headers of both ports.
func Bounded(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytesMax, DisableGeneralOptionsHandler: true, // which would pass by the handler
	}
}

// Serve answers requests until Drain. It returns nil then, and otherwise why it cannot go on.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Drain takes no new requests, and lets those that are being served finish. The contexts of those that are not done in time
// end; what does not answer then either is cut off, and its client sees that.
func (s *Server) Drain() {
	if s.drained(drainTimeout) {
		return
	}
	s.end()
	if !s.drained(answerTimeout) {
		_ = s.http.Close()
	}
}

func (s *Server) drained(within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return s.http.Shutdown(ctx) == nil
}
