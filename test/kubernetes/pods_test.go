package kubernetes

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
	"versiond/test/harness/network"
)

// pods are the processes of a set, and the names that the headless Service gives them.
type pods struct {
	t       *testing.T
	set     statefulSet
	network *network.Network
	dir     string
	client  *tls.Config
	names   map[string]*network.Host
	running map[string]*cluster.Process
}

func newPods(t *testing.T, components ...string) *pods {
	t.Helper()
	return &pods{t: t, set: mustReadSet(t, components), network: network.Must(t), dir: t.TempDir(), names: map[string]*network.Host{}, running: map[string]*cluster.Process{}}
}

func (p *pods) name(ordinal int) string { return fmt.Sprintf("%s-%d", p.set.Metadata.Name, ordinal) }

// place makes a new machine for a pod, and has the pod's name mean its address from then on.
func (p *pods) place(pod string) {
	p.t.Helper()
	machine, err := p.network.NewHost()
	require.NoError(p.t, err)
	p.names[pod] = machine
	var hosts bytes.Buffer
	fmt.Fprintln(&hosts, "127.0.0.1 localhost")
	for name, machine := range p.names {
		fmt.Fprintf(&hosts, "%s %s.%s\n", machine.Addr, name, p.set.Spec.ServiceName)
	}
	require.NoError(p.t, os.WriteFile(p.hosts(), hosts.Bytes(), 0o600))
}

// volume is where a pod has its data.
func (p *pods) volume(pod string) string { return filepath.Join(p.dir, pod) }

func (p *pods) hosts() string { return filepath.Join(p.dir, "hosts") }

// start runs a pod's container where place put it, with the volume that it had before, and with arguments if there are some.
func (p *pods) start(program, pod string, args ...string) {
	p.t.Helper()
	const run = `mount --bind "$HOSTS" /etc/hosts && exec "$0" "$@"`
	env := append(p.set.env(p.t, pod, p.dir), "PATH="+os.Getenv("PATH"), "HOSTS="+p.hosts(), "VERSIOND_DATA_DIR="+p.volume(pod))
	process := cluster.NewProcess(p.t, "/usr/bin/unshare", append([]string{"--mount", "sh", "-c", run, program}, args...), env, filepath.Join(p.dir, pod+".log"))
	process.RunOn(p.names[pod])
	process.Start()
	p.running[pod] = process
}

// requestTimeout bounds one request to a pod, which may be starting.
const requestTimeout = 10 * time.Second

// get asks a pod's public port, by the name that clients call it, with the token of somebody or of nobody. A probe's scheme is HTTP
// where it names none.
func (p *pods) get(pod, scheme, path, who string) (status int, body string) {
	p.t.Helper()
	return p.send(http.MethodGet, pod, scheme, path, who, "")
}

func (p *pods) send(method, pod, scheme, path, who, record string) (status int, body string) {
	p.t.Helper()
	url := fmt.Sprintf("%s://versiond%s", strings.ToLower(cmp.Or(scheme, "HTTP")), path)
	ctx, cancel := context.WithTimeout(p.t.Context(), requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(record))
	require.NoError(p.t, err)
	request.Header.Set("Content-Type", "application/json")
	if who != "" {
		request.Header.Set("Authorization", "Bearer "+tokenOf(who))
	}
	transport := &http.Transport{TLSClientConfig: p.client, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return p.names[pod].Dial(ctx, network, fmt.Sprintf("%s:%d", p.names[pod].Addr, p.set.port("http")))
	}}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(answer)
}
