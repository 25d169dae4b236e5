package cli

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/naming"
	"versiond/test/harness/inprocess"
)

// status is read on a bad night: it has to say what is wrong, no more than that, and what to do.
func TestStatus(t *testing.T) {
	cluster, err := inprocess.Start(t.TempDir(), 3, controller.Token{Name: "ops", Role: naming.RoleAdmin, Secret: adminSecret})
	require.NoError(t, err)
	defer func() { require.NoError(t, cluster.Close()) }()
	r := commandOn(t, cluster.URLs[:1], "", "status")
	require.Zero(t, r.code, r.stdout)
	require.Regexp(t, `^The cluster takes writes\. node\d leads, and 1 of 3 voters may fail\.\n`, r.stdout)
	require.Regexp(t, `(?m)^node2 +voter +\w+ +yes `, r.stdout, "nodes that are not in --url are asked, too")
	require.NotContains(t, r.stdout, "1. ")

	require.NoError(t, cluster.Stop(2))
	require.Eventually(t, func() bool {
		r = commandOn(t, cluster.URLs, "", "status")
		return r.code == exitOther && strings.Contains(r.stdout, "1. node3 does not answer") && !strings.Contains(r.stdout, "2. ")
	}, statusPatience, statusTimeout/100, "one node is gone, and one fault is one problem")
	require.Contains(t, r.stdout, "must not lose another node")
	require.Contains(t, r.stdout, "versiond remove node3")

	require.NoError(t, cluster.Stop(1))
	require.Eventually(t, func() bool {
		r = commandOn(t, cluster.URLs, "", "status")
		return r.code == exitUnavailable
	}, statusPatience, statusTimeout/100, "there is no quorum")
	require.Contains(t, r.stdout, "1. there is no quorum: 1 of 3 voters answer, and 2 are needed\n   Start one of node2, node3.")
	require.NotContains(t, r.stdout, "2. ", r.stdout)
	var said report
	require.NoError(t, json.Unmarshal([]byte(commandOn(t, cluster.URLs, "", "status", "-o", "json").stdout), &said))
	require.False(t, said.Writes)
	require.Len(t, said.Problems, 1)

	require.NoError(t, cluster.Stop(0))
	r = commandOn(t, cluster.URLs, "", "status")
	require.Equal(t, exitUnavailable, r.code)
	require.Contains(t, r.stdout, "1. no node answers: "+cluster.URLs[0]+": connection refused")
}

// statusPatience is how long a cluster may take to see that a member is gone.
const statusPatience = 10 * statusTimeout

// A member that cannot be asked from here is known by what the others say of it.
func TestStatusOfAMemberThatCannotBeAsked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Versiond-Node", "node1")
		_, _ = io.WriteString(w, map[string]string{
			"/readyz": `{"node":"node1","ready":true,"checks":[]}`,
			"/leader": `{"id":"node1","address":"127.0.0.1:7001","port":8081}`,
			"/peers": `{"failureTolerance":0,"members":[{"id":"node1","address":"127.0.0.1:7001","port":8081,"suffrage":"voter","state":"leader","reachable":true},
				{"id":"node2","address":"127.0.0.1:7002","port":1,"suffrage":"voter","state":"follower","reachable":true,"failing":["store"]}]}`,
		}[r.URL.Path])
	}))
	defer server.Close()
	r := commandOn(t, []string{server.URL}, "", "status")
	require.Equal(t, exitOther, r.code)
	require.Contains(t, r.stdout, "1. node2 is not ready: store\n   See that its database runs")
	require.Regexp(t, `(?m)^node2 +voter +follower +no `, r.stdout)
	require.NotContains(t, r.stdout, "2. ")
}

// Whoever forgets --ca is told so, and not that the node is down.
func TestCertificatesThatAreNotBelieved(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	r := commandOn(t, []string{server.URL}, "", "status")
	require.Equal(t, exitUnavailable, r.code)
	require.Contains(t, r.stdout, "--ca")
	r = commandOn(t, []string{server.URL}, "", "get", "x", "--timeout", "50ms")
	require.Equal(t, exitUnavailable, r.code)
	require.Contains(t, r.stderr, "--ca")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	r = commandOn(t, []string{server.URL}, "", "get", "x", "--ca", ca, "--timeout", "50ms")
	require.Contains(t, r.stderr, "answered 404 Not Found, and not as a node does")
	require.Contains(t, commandOn(t, nil, "", "get", "x", "--cert", ca).stderr, "go together")
	require.Contains(t, commandOn(t, nil, "", "get", "x", "--ca", ca+"x").stderr, "--ca: open")
}

func TestStatusWithoutAToken(t *testing.T) {
	r := command(t, "", "status", "--token", "wrong")
	require.Equal(t, exitOther, r.code, "whether it takes writes is not known")
	require.Contains(t, r.stdout, "Give the secret of a token with VERSIOND_TOKEN")
}
