package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// mustListenSilently returns an address at which somebody listens and never says a word.
func mustListenSilently(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return listener.Addr().String()
}

// A join that is refused is read by somebody who has mistyped something. Whichever node was asked, the answer must
// say once what is wrong and what would be right, and not that something may have been done when nothing was.
func TestRefusedJoinsSayWhatIsWrong(t *testing.T) {
	cfg := configured(t, 3)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }))
	defer html.Close()
	node2 := cfg.Raft.Nodes[1]
	public2 := "127.0.0.1:" + strconv.Itoa(node2.Port)
	nobody := cluster.FreeAddress(t)
	for name, each := range map[string]struct {
		id, address, query, code string
		says                     []string
	}{
		"nobody there":        {"node4", nobody, "", "node_unreachable", []string{"no versiond node answers at this address", nobody, "refused"}},
		"no such name":        {"node4", "no-such-host.invalid:7004", "", "node_unreachable", []string{"no versiond node answers at this address", "no-such-host.invalid", "no such host"}},
		"silent":              {"node4", mustListenSilently(t), "?timeout=300ms", "node_unreachable", []string{"no versiond node answers at this address", "did not answer in time"}},
		"another's web page":  {"node4", strings.TrimPrefix(page.URL, "http://"), "", "wrong_node", []string{"another node answers at this address", "status 404"}},
		"another's answer":    {"node4", strings.TrimPrefix(html.URL, "http://"), "", "wrong_node", []string{"another node answers at this address", "no peer port"}},
		"a public port":       {"node2", public2, "", "node_unreachable", []string{public2 + " is the public port of node2", "node2 has the peer address " + node2.Address}},
		"a member's, renamed": {"node4", node2.Address, "", "wrong_node", []string{"another node answers at this address", `is node "node2"`}},
	} {
		for _, asked := range cfg.Raft.Nodes {
			t.Run(name+" by "+asked.ID, func(t *testing.T) {
				status, body := request(t, http.MethodPost, asked.Port, "/join/"+each.id+"/"+each.address+each.query, "")
				require.Equal(t, http.StatusBadGateway, status, body)
				var problem struct{ Code, Detail string }
				require.NoError(t, json.Unmarshal([]byte(body), &problem))
				require.Equal(t, each.code, problem.Code, body)
				for _, words := range each.says {
					require.Equal(t, 1, strings.Count(problem.Detail, words), "%q in %q", words, problem.Detail)
				}
			})
		}
	}
	s.mustStop(t)
}

// A node that is to join, and was told the wrong ports, must say so instead of waiting for an answer.
func TestJoinThatNamesTheWrongPortsSaysSo(t *testing.T) {
	cfg := configured(t, 1)
	s := start(t, cfg)
	mustBeReady(t, cfg.Raft.Nodes)
	joining := cfg
	own := cluster.FreeAddress(t)
	joining.OnlyNode, joining.Address, joining.Port = "node4", own, cluster.FreePort(t)
	joining.Join = []string{"127.0.0.1:" + strconv.Itoa(cfg.Raft.Nodes[0].Port), own}
	joiner := start(t, joining)
	for _, words := range []string{
		"is the public port of node1, and not its peer port", "an address in --join leads back to this node",
	} {
		require.Eventually(t, func() bool { return strings.Contains(joiner.log.String(), words) }, 10*time.Second, 10*time.Millisecond, words)
	}
	joiner.mustStop(t)
	s.mustStop(t)
}
