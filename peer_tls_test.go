package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/config"
	"versiond/test/harness/authority"
)

// mutual returns the configurations of nodes that prove to each other that they are nodes, each with files of its own, and serve clients by TLS.
func mutual(t *testing.T, ca *authority.Authority, nodes int) (cfgs []config.Config, files []authority.Files) {
	t.Helper()
	cfg := configured(t, nodes)
	for _, n := range cfg.Raft.Nodes {
		own, each := authority.WriteFiles(t, ca.Node(t, n.ID), ca.PEM), cfg
		each.OnlyNode = n.ID
		each.TLS = config.TLS{CertFile: own.Cert, KeyFile: own.Key}
		each.Cluster.CertFile, each.Cluster.KeyFile, each.Cluster.CAFile = own.Cert, own.Key, own.CA
		cfgs, files = append(cfgs, each), append(files, own)
	}
	return cfgs, files
}

// An authority ends, or has to be given up, and the nodes of a running cluster must come from it to another one without
// a request that fails, and be shut to the old one afterwards. If this fails, a rotation is an outage.
func TestAuthorityIsChangedUnderLoad(t *testing.T) {
	before, after := authority.New(t, "before"), authority.New(t, "after")
	cfgs, files := mutual(t, before, 3)
	nodes := cfgs[0].Raft.Nodes
	runs := make([]*started, len(nodes))
	for i := range runs {
		runs[i] = start(t, cfgs[i])
	}
	both := before.Pool()
	both.AppendCertsFromPEM(after.PEM)
	anybody := trusting(before)
	anybody.tls.RootCAs = both
	anybody.mustBeReady(t, nodes)

	_, measured := anybody.ask(t, http.MethodGet, nodes[0].Port, "/metrics", "")
	for _, port := range []string{"peer", "public"} { // a year has so many seconds
		require.Regexp(t, `versiond_certificate_remaining_seconds\{node="node1",port="`+port+`"\} 3\.15[0-9]*e\+07`, measured)
	}
	load, done := newTLSLoad(anybody), make(chan struct{})
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() { load.run(t, n, done) })
	}
	renew := func() {
		for i := range runs {
			runs[i].anew <- cfgs[i]
		}
	}
	moveLead := func() { // its connections are opened anew, by what the files hold now
		enough := load.done.Load() + 10
		for _, n := range nodes {
			require.Eventually(t, func() bool {
				status, _ := anybody.ask(t, http.MethodPost, nodes[0].Port, "/leader/"+n.ID, "")
				return status == http.StatusOK
			}, 10*time.Second, 20*time.Millisecond)
		}
		require.Eventually(t, func() bool { return load.done.Load() >= enough }, 10*time.Second, 5*time.Millisecond)
	}
	for i := range files {
		files[i].ChangeCA(t, append(before.PEM, after.PEM...)) // everybody takes both
	}
	renew()
	moveLead()
	for i, n := range nodes {
		files[i].Change(t, after.Node(t, n.ID), before.PEM, after.PEM) // node by node
		runs[i].anew <- cfgs[i]
		moveLead()
	}
	for i := range files {
		files[i].ChangeCA(t, after.PEM) // nobody takes the old one any more
	}
	renew()
	moveLead()
	runs[2].mustStop(t) // its connections were older than all this
	runs[2] = start(t, cfgs[2])
	trusting(after).mustBeReady(t, nodes)
	close(done)
	wg.Wait()
	load.require(t)

	stranger := cfgs[2]
	own := authority.WriteFiles(t, before.Node(t, "node3"), before.PEM, after.PEM)
	stranger.Cluster.CertFile, stranger.Cluster.KeyFile, stranger.Cluster.CAFile = own.Cert, own.Key, own.CA
	runs[2].mustStop(t)
	runs[2] = start(t, stranger)
	requireDistrust(t, trusting(after), nodes[2].Port, runs[2])
	require.Contains(t, runs[2].log.String(), "it does not know the authority that signed the certificate of this side")
	require.Contains(t, runs[0].log.String()+runs[1].log.String(), "signed by no authority that is known here")
}

// requireDistrust requires that a node without a leader says that it is about TLS.
func requireDistrust(t *testing.T, c *client, port int, run *started) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, body := c.ask(t, http.MethodGet, port, "/readyz", "")
		return strings.Contains(body, "the nodes do not come to speak TLS") && strings.Contains(body, "cluster.caFile")
	}, 15*time.Second, 50*time.Millisecond)
	require.Contains(t, run.log.String(), "another node and this one do not come to speak TLS")
}

// tlsLoad writes and reads on every node, each time by a new connection, and remembers what was not done.
type tlsLoad struct {
	client *client
	done   atomic.Int64
	mu     sync.Mutex
	failed []string
}

func newTLSLoad(c *client) *tlsLoad { return &tlsLoad{client: c} }

func (l *tlsLoad) run(t *testing.T, n config.Node, end <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-end:
			return
		default:
		}
		id := fmt.Sprintf("%s-%d", n.ID, i)
		write := func() (int, string) {
			return l.client.ask(t, http.MethodPost, n.Port, "/version", `{"id":"`+id+`","versionNo":"1","platform":"linux"}`, "Idempotency-Key", id)
		}
		status, said := write()
		for status == http.StatusGatewayTimeout { // the lead has moved under it, as it may without TLS
			status, said = write()
		}
		if status == http.StatusCreated {
			status, said = l.client.ask(t, http.MethodGet, n.Port, "/version/"+id, "")
		}
		l.note(n.ID, status, said)
	}
}

// note passes over what is the way of every restart: a node that is not there, and a change of the leader in the middle.
func (l *tlsLoad) note(node string, status int, said string) {
	switch {
	case status == http.StatusOK:
		l.done.Add(1)
	case node == "node3" && status == 0 && (strings.Contains(said, "refused") || strings.Contains(said, "reset") || strings.Contains(said, "EOF")):
	default:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failed = append(l.failed, fmt.Sprintf("%s: %d %s", node, status, said))
	}
}

func (l *tlsLoad) require(t *testing.T) {
	t.Helper()
	require.Empty(t, l.failed)
	t.Logf("%d writes and reads", l.done.Load())
}

// Connections between nodes stay open, and nobody may ask a node for days. It has to go by new files all the same, and say so: that is
// what whoever changes them waits for.
func TestNewCertificatesNeedNoHandshake(t *testing.T) {
	ca := authority.New(t, "ours")
	cfgs, files := mutual(t, ca, 1)
	s := start(t, cfgs[0])
	trusting(ca).mustBeReady(t, cfgs[0].Raft.Nodes)
	files[0].Change(t, ca.Node(t, "node1"), ca.PEM)
	for _, settings := range []string{"tls", "cluster"} {
		require.Eventually(t, func() bool {
			return strings.Contains(s.log.String(), `msg="the certificates were read anew" node=node1 settings=`+settings)
		}, 4*certificatesInterval, 20*time.Millisecond, settings)
	}
	s.mustStop(t)
}

// What the other nodes would refuse has to be said where it is wrong: at the start of the node whose certificate it is,
// with the setting and what is not right.
func TestNodeWithACertificateThatOthersRefuseDoesNotStart(t *testing.T) {
	ca := authority.New(t, "ours")
	for says, change := range map[string]func(authority.Files){
		"is for node9.example.com, and not for 127.0.0.1":              func(f authority.Files) { f.Change(t, ca.Node(t, "node1", "node9.example.com"), ca.PEM) },
		"its certificate has ended":                                    func(f authority.Files) { f.Change(t, ca.Ended(t, "node1"), ca.PEM) },
		"its certificate is signed by no authority that is known here": func(f authority.Files) { f.ChangeCA(t, authority.New(t, "another").PEM) },
		"that of CN=ops is for no name, and not for 127.0.0.1":         func(f authority.Files) { f.Change(t, ca.Client(t, "ops", time.Now()), ca.PEM) },
		"cluster.caFile: ":  func(f authority.Files) { f.ChangeCA(t, []byte("none")) },
		"cluster.keyFile (": func(f authority.Files) { authority.Replace(t, f.Key, ca.Node(t, "node1").Key) },
	} {
		t.Run(says, func(t *testing.T) {
			cfgs, files := mutual(t, ca, 1)
			cfgs[0].TLS = config.TLS{}
			change(files[0])
			err := start(t, cfgs[0]).mustEnd(t)
			require.ErrorContains(t, err, says)
			require.ErrorContains(t, err, "cluster.c")
		})
	}
}

// A node that was forgotten when the others were given certificates is told so by them, and tells it.
func TestNodeWithoutTLSIsToldSo(t *testing.T) {
	cfgs, _ := mutual(t, authority.New(t, "ours"), 2)
	cfgs[1].Cluster.CertFile, cfgs[1].Cluster.KeyFile, cfgs[1].Cluster.CAFile, cfgs[1].TLS = "", "", "", config.TLS{}
	secured, bare := start(t, cfgs[0]), start(t, cfgs[1])
	require.Eventually(t, func() bool {
		return strings.Contains(bare.log.String(), "this peer port speaks TLS; give the node that asks cluster.certFile")
	}, 10*time.Second, 20*time.Millisecond)
	requireTold(t, cfgs[0].Raft.Nodes[0].Address, "GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n", "this peer port speaks TLS")
	require.Eventually(t, func() bool {
		return strings.Contains(secured.log.String(), "the other side does not speak TLS") && strings.Contains(secured.log.String(), "somebody speaks no TLS to the peer port")
	}, 10*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Contains(bare.log.String(), "somebody speaks TLS to a port that does not; use http://, or set cluster.certFile")
	}, 10*time.Second, 20*time.Millisecond)
}
