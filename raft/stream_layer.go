package raft

import (
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hashicorp/raft"

	"versiond/model"
)

const (
	// raftMagic is the first byte of a Raft connection. No HTTP request begins with it.
	raftMagic = 0x01
	// raftAccepted is the answer to a greeting that names the right node and cluster.
	raftAccepted = 0x06

	greetingTimeout  = 5 * time.Second
	greetingBytesMax = 4096
)

// greeting opens a Raft connection. A stream that reaches another node than it was meant for would
// let one node answer for two, so both ends check it.
type greeting struct {
	Cluster string `json:"cluster"`
	From    string `json:"from"`
	To      string `json:"to"`
	Secret  string `json:"secret,omitempty"`
}

// streamLayer gives hashicorp/raft its connections. It keeps addresses as the host names they are:
// the library's own TCP transport would freeze them into IPs.
type streamLayer struct {
	raw      *connQueue // greetings not read yet
	welcomed *connQueue
	address  nameAddr
	secret   string
	identity func() model.Identity
	// idAt names the member that has an address, "" when none has.
	idAt func(address string) string
}

var _ raft.StreamLayer = (*streamLayer)(nil)

func newStreamLayer(l *PeerListener, address, secret string, identity func() model.Identity, idAt func(string) string) *streamLayer {
	s := &streamLayer{raw: l.raft, welcomed: newConnQueue(l), address: nameAddr(address), secret: secret, identity: identity, idAt: idAt}
	l.conns.Go(s.welcomeAll)
	return s
}

type nameAddr string

func (a nameAddr) Network() string { return "tcp" }
func (a nameAddr) String() string  { return string(a) }

// Addr is what this node tells others.
func (s *streamLayer) Addr() net.Addr { return s.address }

// Dial resolves the name anew each time and greets the node that answers.
func (s *streamLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", string(address), timeout)
	if err != nil {
		return nil, err
	}
	if err := s.greet(conn, s.idAt(string(address)), timeout); err != nil {
		return nil, errors.Join(fmt.Errorf("greet %s: %w", address, err), conn.Close())
	}
	return conn, nil
}

func (s *streamLayer) greet(conn net.Conn, to string, timeout time.Duration) error {
	ours := s.identity()
	body, err := json.Marshal(greeting{Cluster: ours.Cluster, From: ours.Node, To: to, Secret: s.secret})
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	message := binary.BigEndian.AppendUint16([]byte{raftMagic}, uint16(len(body)))
	if _, err := conn.Write(append(message, body...)); err != nil {
		return err
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return fmt.Errorf("%w, or it does not run Raft yet: it hung up on a greeting for node %q (%w)", model.ErrWrongNode, to, err)
	}
	if answer[0] != raftAccepted {
		return fmt.Errorf("%w: it answered %#x to a greeting", model.ErrWrongNode, answer[0])
	}
	return conn.SetDeadline(time.Time{})
}

// Accept gives the next connection whose greeting named this node and its cluster.
func (s *streamLayer) Accept() (net.Conn, error) { return s.welcomed.Accept() }

// Close ends Accept. Connections that come later are refused.
func (s *streamLayer) Close() error { return s.welcomed.Close() }

// welcomeAll reads greetings, each on its own goroutine: a stranger that is slow to say who it is
// must not keep the others out.
func (s *streamLayer) welcomeAll() {
	for {
		conn, err := s.raw.acceptUntil(s.welcomed.closed)
		if err != nil {
			return
		}
		s.raw.owner.conns.Go(func() {
			err := s.welcome(conn)
			s.raw.owner.strangers.Leave(conn)
			if err != nil {
				_ = conn.Close() // a stranger; it sees the end of the connection
				return
			}
			s.welcomed.put(conn)
		})
	}
}

func (s *streamLayer) welcome(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(greetingTimeout)); err != nil {
		return err
	}
	hello, err := readGreeting(conn)
	if err != nil {
		return err
	}
	ours := s.identity()
	if hello.Cluster != ours.Cluster || hello.To != "" && hello.To != ours.Node ||
		subtle.ConstantTimeCompare([]byte(hello.Secret), []byte(s.secret)) != 1 {
		return model.ErrWrongNode
	}
	if _, err := conn.Write([]byte{raftAccepted}); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

func readGreeting(conn io.Reader) (hello greeting, err error) {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return hello, err
	}
	n := binary.BigEndian.Uint16(size[:])
	if n > greetingBytesMax {
		return hello, fmt.Errorf("%w: a greeting of %d bytes", model.ErrCorrupt, n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(conn, body); err != nil {
		return hello, err
	}
	return hello, json.Unmarshal(body, &hello)
}
