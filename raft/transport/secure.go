package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/raft"

	"versiond/certs"
	"versiond/model"
)

// Security is how nodes prove to each other that they are nodes.
type Security interface {
	// Server returns how connections are taken.
	Server() *tls.Config
	// Client returns how a connection to the node at an address is opened, now.
	Client(address string) *tls.Config
}

// raftNeedsTLS is the answer to a greeting that comes without TLS to a port that wants it.
const raftNeedsTLS = 0x17

// secure makes a connection that came in one by TLS where nodes speak it.
func (l *Listener) secure(tcp *net.TCPConn) (certs.Stream, error) {
	if l.security == nil {
		return tcp, nil
	}
	conn := certs.Accept(tcp, l.tls)
	err := conn.Shake(greetingTimeout)
	var failure *certs.Failure
	if errors.As(err, &failure) {
		l.refuse(conn, failure)
	}
	return conn, err
}

// refuse logs why another node was not let in, and answers one that speaks no TLS.
func (l *Listener) refuse(conn *certs.Conn, failure *certs.Failure) {
	first := failure.Plain()
	if first == nil {
		l.log.Warn("another node and this one do not come to speak TLS: "+failure.Kind(), "from", conn.RemoteAddr(), "err", failure)
		return
	}
	l.log.Warn("somebody speaks no TLS to the peer port, which wants it; if it is a node, give it cluster.certFile", "from", conn.RemoteAddr())
	if first[0] == raftMagic {
		conn.AnswerPlain([]byte{raftNeedsTLS})
	} else if answer := l.needsTLS.Load(); answer != nil {
		conn.AnswerPlain((*answer)())
	}
}

// dial opens a connection to another node, by TLS where nodes speak it.
func (l *Listener) dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", string(address), timeout)
	if err != nil || l.security == nil {
		return conn, err
	}
	secure, err := certs.Connect(conn, l.security.Client(string(address)), timeout)
	if err != nil {
		return nil, fmt.Errorf("greet %s: %w", address, distrusted(err))
	}
	return secure, nil
}

// distrusted marks the error of two nodes that do not come to speak TLS as what it is.
func distrusted(err error) error {
	if failure := certs.Refused(err); failure != nil {
		return fmt.Errorf("%w: %w", model.ErrTLSFailed, failure)
	}
	return err
}
