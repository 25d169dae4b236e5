package transport

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"versiond/certs"
	"versiond/model"
)

const (
	// raftMagic is the first byte of a Raft connection. No HTTP request begins with it.
	raftMagic = 0x01
	// raftAccepted is the answer to a greeting that names the right node and cluster.
	raftAccepted = 0x06
	// raftOtherSecret and raftOtherNode are the answers to one that does not show the cluster's secret, and to one
	// that names another node or cluster.
	raftOtherSecret = 0x15
	raftOtherNode   = 0x16

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

// streamLayer provides hashicorp/raft with its connections. It keeps addresses as the host names they are:
// the library's own TCP transport would freeze them into IPs.
type streamLayer struct {
	raw      *connQueue // greetings not read yet
	welcomed *connQueue
	address  nameAddr
	secret   string
	identity func() model.Identity
	// idAt names the member that has an address, "" when none has.
	idAt func(address string) string
	// distrust is told of nodes that this one and that do not trust each other.
	distrust *Distrust
	dial     func(address raft.ServerAddress, timeout time.Duration) (net.Conn, error)
	// taking ends when no further connection is taken from raw.
	taking sync.WaitGroup
	// silence is how long other nodes may say nothing over connections that they have made.
	silence time.Duration
	streams streams
}

var _ raft.StreamLayer = (*streamLayer)(nil)

func newStreamLayer(cfg Config) *streamLayer {
	l := cfg.Listener
	s := &streamLayer{raw: l.raft, welcomed: newConnQueue(l), address: nameAddr(cfg.Address), secret: cfg.Secret, identity: cfg.Identity, idAt: cfg.IDAt, distrust: cfg.Distrust, dial: l.dial, silence: silenceMax}
	s.taking.Add(1)
	l.conns.Go(func() {
		defer s.taking.Done()
		s.welcomeAll()
	})
	return s
}

type nameAddr string

func (a nameAddr) Network() string { return "tcp" }
func (a nameAddr) String() string  { return string(a) }

// Addr is what this node tells others.
func (s *streamLayer) Addr() net.Addr { return s.address }

// Dial resolves the name anew each time and greets the node that answers.
func (s *streamLayer) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, err := s.dial(address, timeout)
	if err != nil {
		s.distrust.Note(err)
		return nil, err
	}
	if err := s.greet(conn, s.idAt(string(address)), timeout); err != nil {
		err = fmt.Errorf("greet %s: %w", address, err)
		s.distrust.Note(err)
		return nil, errors.Join(err, conn.Close())
	}
	return s.streams.add(conn, 0)
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
	switch _, err := io.ReadFull(conn, answer); {
	case certs.Refused(err) != nil:
		return distrusted(err)
	case err != nil:
		return fmt.Errorf("it hung up on a greeting for node %q, as a node does that does not run Raft yet (%w)", to, err)
	}
	if err := refusal(answer[0], to); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

func refusal(answer byte, to string) error {
	switch answer {
	case raftAccepted:
		return nil
	case raftOtherSecret:
		return fmt.Errorf("%w: it does not take this node's", model.ErrSecretsDiffer)
	case raftNeedsTLS:
		return fmt.Errorf("%w: it speaks TLS, and this node has no cluster.certFile", model.ErrTLSFailed)
	case raftOtherNode:
		return fmt.Errorf("%w: it is not node %q of this cluster", model.ErrWrongNode, to)
	}
	return fmt.Errorf("%w: it answered %#x to a greeting", model.ErrWrongNode, answer)
}

// Accept returns the next connection whose greeting named this node and its cluster.
func (s *streamLayer) Accept() (net.Conn, error) {
	conn, err := s.welcomed.Accept()
	if err != nil {
		return nil, err
	}
	return s.streams.add(conn, s.silence)
}

// Close ends Accept. Connections that come later are for the next stream layer of this port, if there is one.
func (s *streamLayer) Close() error {
	err := s.welcomed.Close()
	s.taking.Wait()
	return err
}

// welcomeAll reads greetings, each on its own goroutine: a stranger that is slow to say who it is
// must not keep the others out.
func (s *streamLayer) welcomeAll() {
	for {
		conn, err := s.raw.acceptUntil(s.welcomed.closed)
		if err != nil {
			return
		}
		s.raw.owner.conns.Go(func() {
			stop := context.AfterFunc(s.raw.owner.ctx, func() { _ = conn.Close() }) // unblocks the reads of the greeting
			err := s.welcome(conn)
			stop()
			s.raw.owner.known(conn)
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
	answer, err := s.judge(hello)
	s.distrust.Note(err)
	if _, errWrite := conn.Write([]byte{answer}); err != nil || errWrite != nil {
		return errors.Join(err, errWrite)
	}
	return conn.SetDeadline(time.Time{})
}

// judge returns what is answered to a greeting. Who does not show the secret learns nothing else.
func (s *streamLayer) judge(hello greeting) (answer byte, err error) {
	ours := s.identity()
	switch {
	case subtle.ConstantTimeCompare([]byte(hello.Secret), []byte(s.secret)) != 1:
		return raftOtherSecret, fmt.Errorf("%w: one that calls itself node %.40q shows another", model.ErrSecretsDiffer, hello.From)
	case hello.Cluster != ours.Cluster || hello.To != "" && hello.To != ours.Node:
		return raftOtherNode, model.ErrWrongNode
	}
	return raftAccepted, nil
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
