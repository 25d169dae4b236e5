package kubernetes

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/authority"
	"versiond/test/harness/cluster"
)

// program is the versiond that TestMain has built.
var program string

func TestMain(m *testing.M) { os.Exit(cluster.Main(m, &program)) }

const patience = 30 * time.Second

// Pods with the variables and names of the manifests, started all at once, make one cluster, and one that comes back with
// another address is found again by its name. If this fails, nobody gets further than kubectl apply.
func TestPodsMakeACluster(t *testing.T) {
	p := newPods(t)
	all := p.startAll()
	for _, pod := range all {
		_, members := p.get(pod, "HTTP", "/peers", "ops")
		require.Len(t, regexp.MustCompile(`"suffrage":"voter"`).FindAllString(members, -1), len(all), members)
		status, _ := p.get(pod, "HTTP", "/metrics", "prom")
		require.Equal(t, 200, status, "Prometheus, with the token that the Secret has for it")
	}

	moved := all[1]
	p.running[moved].Kill()
	p.place(moved)
	p.start(program, moved)
	p.requireReady(all...)
}

// Two of three volumes are lost, and the third node is recovered by a pod of its own, with the variables of the set: what it had is
// there again on all three. If this fails, everything is lost with a majority of the volumes.
func TestTwoOfThreeVolumesAreLost(t *testing.T) {
	p := newPods(t)
	all := p.startAll()
	status, body := p.send(http.MethodPost, all[0], "HTTP", "/version", "ci", `{"id":"kept","versionNo":"1","platform":"linux"}`)
	require.Equal(t, http.StatusCreated, status, body)
	left := all[1]
	p.requireRecord(left)
	for _, pod := range all {
		p.running[pod].Kill()
		if pod != left {
			require.NoError(t, os.RemoveAll(p.volume(pod)))
		}
	}

	p.start(program, left, "recover")
	require.Equal(t, 2, p.running[left].Wait(patience), "it waits for --yes")
	p.start(program, left, "recover", "--yes")
	require.Zero(t, p.running[left].Wait(patience))
	p.start(program, left)
	p.requireReady(left)
	for _, pod := range all {
		if pod != left {
			p.start(program, pod)
		}
	}
	p.requireReady(all...)
	for _, pod := range all {
		p.requireRecord(pod)
	}
}

// requireRecord waits until a pod has the record itself.
func (p *pods) requireRecord(pod string) {
	p.t.Helper()
	cluster.Eventually(p.t, patience, "the record on "+pod, func() error {
		if status, body := p.get(pod, "HTTP", "/version/kept?level=none", "ci"); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
}

// The component for TLS, with a Secret that is made as its description says, makes the same, and the probes get their answer. If
// this fails, the kubelet restarts every pod for ever. With the certificates that the renewal makes, pods that run and one that starts
// go on together.
func TestPodsSpeakTLS(t *testing.T) {
	p := newPods(t, "tls")
	p.makeSecretOfTLS()
	all := p.startAll()

	certs := filepath.Join(p.dir, "certs")
	require.NoError(t, os.Rename(certs, filepath.Join(p.dir, "before")))
	require.NoError(t, os.Rename(filepath.Join(p.dir, "renewed"), certs))
	for _, pod := range all {
		p.requireServes(pod, filepath.Join(certs, pod+".pem"))
	}
	p.running[all[0]].Kill()
	p.start(program, all[0])
	p.requireReady(all...)
}

// requireServes waits until clients of a pod are shown the certificate of a file, which has to be one for each name that they use.
func (p *pods) requireServes(pod, file string) {
	p.t.Helper()
	want := authority.ReadCertificate(p.t, file)
	for _, name := range []string{"versiond", "versiond.versiond", "versiond.versiond.svc"} {
		require.NoError(p.t, want.VerifyHostname(name))
	}
	cluster.Eventually(p.t, patience, pod+" with "+file, func() error {
		conn, err := p.names[pod].Dial(p.t.Context(), "tcp", fmt.Sprintf("%s:%d", p.names[pod].Addr, p.set.port("http")))
		if err != nil {
			return err
		}
		defer conn.Close()
		shown := tls.Client(conn, &tls.Config{RootCAs: p.client.RootCAs, ServerName: "versiond"})
		if err := shown.HandshakeContext(p.t.Context()); err != nil {
			return err
		}
		if !shown.ConnectionState().PeerCertificates[0].Equal(want) {
			return errors.New("another certificate")
		}
		return nil
	})
}

// certCommand is a line of README.md that makes the files of the Secret.
var certCommand = regexp.MustCompile(`(?m)^(export|versiond) .*$`)

func (p *pods) makeSecretOfTLS() {
	p.t.Helper()
	_, section, _ := strings.Cut(mustRead(p.t, "README.md"), "\n## TLS\n")
	script := strings.Join(certCommand.FindAllString(section, -1), "\n")
	process := cluster.NewProcess(p.t, "/bin/sh", nil, []string{"PATH=" + filepath.Dir(program)}, filepath.Join(p.dir, "cert.log"))
	code, said := process.Run("-ec", "cd "+p.dir+"\n"+script)
	require.Zero(p.t, code, said)
	ca, err := os.ReadFile(filepath.Join(p.dir, "certs", "ca.pem"))
	require.NoError(p.t, err)
	require.NoFileExists(p.t, filepath.Join(p.dir, "certs", "ca-key.pem"), "the nodes would have it")
	p.client = &tls.Config{RootCAs: x509.NewCertPool()}
	require.True(p.t, p.client.RootCAs.AppendCertsFromPEM(ca))
}

// startAll starts every pod for the first time, and waits until all are ready.
func (p *pods) startAll() (all []string) {
	p.t.Helper()
	for i := range p.set.Spec.Replicas {
		all = append(all, p.name(i))
		p.place(p.name(i))
	}
	for _, pod := range all {
		p.start(program, pod)
	}
	p.requireReady(all...)
	return all
}

// requireReady waits for what the probes ask for.
func (p *pods) requireReady(pods ...string) {
	p.t.Helper()
	for _, pod := range pods {
		for _, probe := range []probe{p.set.container().LivenessProbe, p.set.container().ReadinessProbe} {
			path := probe.HTTPGet.Path
			cluster.Eventually(p.t, patience, pod+path, func() error {
				if status, body := p.get(pod, probe.HTTPGet.Scheme, path, ""); status != 200 {
					return fmt.Errorf("%d %s", status, body)
				}
				return nil
			})
		}
	}
}
