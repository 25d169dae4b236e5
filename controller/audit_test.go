package controller_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
	"versiond/naming"
	"versiond/peer"
	"versiond/routers"
)

// auditing is a node that audits, with a log of nothing else, and asks for tokens if it is guarded.
func auditing(t *testing.T, guarded bool) *node {
	t.Helper()
	n := &node{service: newFakeService(), log: &bytes.Buffer{}}
	options := controller.Options{Audit: true, Hosts: []string{ownHost}}
	if guarded {
		options.Access.Tokens = []controller.Token{{Name: "writer", Role: naming.RoleWrite, Secret: writeSecret}, {Name: "admin", Role: naming.RoleAdmin, Secret: adminSecret}}
	}
	v, err := controller.NewVersionController(n.service, slog.New(slog.NewTextHandler(n.log, nil)), options)
	require.NoError(t, err)
	p, err := controller.NewPeerController(n.service, "", ownHost)
	require.NoError(t, err)
	n.hold(t, routers.SetUpVersionRouter(v), routers.SetUpRaftRouter(v, p))
	return n
}

// audits returns the lines of the audit without what differs each time, and forgets them.
func (n *node) audits() []string {
	defer n.log.Reset()
	text := regexp.MustCompile(`(?m)^.* msg=audit | requestID=\S+`).ReplaceAllString(n.log.String(), "")
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// Who has to say afterwards who changed what goes by these lines: every change, and every attempt at one, has to be
// there, once, with whose it was and what came of it. What only asks has none.
func TestAuditHasEveryChange(t *testing.T) {
	n := auditing(t, true)
	for _, each := range []struct {
		method, path, body, secret string
		want                       []string
	}{
		{http.MethodPost, "/version", `{"id":"a/b","versionNo":"1","platform":"p"}`, writeSecret, []string{"who=writer from=192.0.2.1 what=create id=a/b outcome=done"}},
		{http.MethodPost, "/version", `{"id":"known","versionNo":"1","platform":"p"}`, writeSecret, []string{"who=writer from=192.0.2.1 what=create id=known outcome=already_exists"}},
		{http.MethodPost, "/version", `{"id":`, writeSecret, []string{"who=writer from=192.0.2.1 what=create outcome=invalid_request"}},
		{http.MethodPut, "/version/a%2Fb", `{"versionNo":"2","platform":"p"}`, adminSecret, []string{"who=admin from=192.0.2.1 what=update id=a/b outcome=done"}},
		{http.MethodDelete, "/version/nothing", "", writeSecret, []string{"who=writer from=192.0.2.1 what=delete id=nothing outcome=not_found"}},
		{http.MethodDelete, "/version/known", "", "", []string{"who=unknown from=192.0.2.1 what=delete id=known outcome=unauthorized"}},
		{http.MethodDelete, "/peer/node3", "", writeSecret, []string{"who=writer from=192.0.2.1 what=remove id=node3 outcome=forbidden"}},
		{http.MethodPost, "/join/node4/10.0.0.4:7001", "", adminSecret, []string{"who=admin from=192.0.2.1 what=join id=node4 address=10.0.0.4:7001 outcome=done"}},
		{http.MethodPost, "/leader/node2", "", adminSecret, []string{"who=admin from=192.0.2.1 what=lead id=node2 outcome=not_found"}},
		{http.MethodPost, "/version/batch", `{"items":[{"op":"create","id":"c","versionNo":"1","platform":"p"},{"op":"delete","id":"nothing"},{"op":"update","id":"c"}]}`, writeSecret, []string{
			"who=writer from=192.0.2.1 what=create id=c outcome=done",
			"who=writer from=192.0.2.1 what=delete id=nothing outcome=not_found",
			"who=writer from=192.0.2.1 what=update id=c outcome=invalid_request",
		}},
		{http.MethodPost, "/version/batch", `{"items":`, writeSecret, []string{"who=writer from=192.0.2.1 what=batch outcome=invalid_request"}},
		{http.MethodGet, "/version/a%2Fb", "", writeSecret, nil},
		{http.MethodGet, "/peers", "", writeSecret, nil},
		{http.MethodPost, "/nothing", "", writeSecret, nil},
	} {
		var header []string
		if each.secret != "" {
			header = []string{"Authorization", "Bearer " + each.secret}
		}
		answer := n.send(t, each.method, each.path, each.body, header...)
		require.Equal(t, len(each.want), strings.Count(n.log.String(), "requestID="+answer.Header().Get("X-Request-Id")))
		require.ElementsMatch(t, each.want, n.audits(), "%s %s: %s", each.method, each.path, answer.Body)
	}
}

// A node that everybody may use has the changes in its log too, and those that other nodes bring about by themselves.
func TestAuditOfAnOpenNode(t *testing.T) {
	n := auditing(t, false)
	n.send(t, http.MethodDelete, "/version/known", "")
	require.Equal(t, []string{"who=anybody from=192.0.2.1 what=delete id=known outcome=done"}, n.audits())
	n.send(t, http.MethodPost, "/version", `{"id":"k","versionNo":"1","platform":"p"}`, "Idempotency-Key", "once")
	n.send(t, http.MethodPost, "/version", `{"id":"k","versionNo":"1","platform":"p"}`, "Idempotency-Key", "once")
	require.Equal(t, []string{"who=anybody from=192.0.2.1 what=create id=k outcome=done", "who=anybody from=192.0.2.1 what=create id=k outcome=done replayed=true"}, n.audits())
	serve(t, n.peer, request{method: http.MethodGet, path: "/?id=node4&addr=10.0.0.4:7001"})
	require.Equal(t, []string{`who="a node" from=192.0.2.1 what=join id=node4 address=10.0.0.4:7001 outcome=done`}, n.audits())
	serve(t, n.peer, request{method: http.MethodDelete, path: "/peer/node4"})
	serve(t, n.peer, request{method: http.MethodGet, path: "/?id=node4&addr=10.0.0.4:7001", header: map[string]string{peer.ClusterHeader: "OURS"}})
	require.Empty(t, n.audits(), "the node whose client asked has it")
}

// A node that starts under the id of another is refused, and asks again at once, for as long as nobody looks at it. If this
// fails, the log has nothing else in it by the next morning. Another one, or another reason, is news.
func TestAuditOfNodesThatAreRefusedAgainAndAgain(t *testing.T) {
	n := auditing(t, false)
	join := func(id string) {
		serve(t, n.peer, request{method: http.MethodGet, path: "/?addr=10.0.0.4:7001&id=" + id})
	}
	var want []string
	for _, refusal := range []struct {
		fault error
		code  string
	}{{model.ErrIDInUse, "id_in_use"}, {model.ErrNoLeader, "no_leader"}} {
		n.service.fault = refusal.fault
		for range 10 {
			join("node4")
			join("node5")
		}
		for _, id := range []string{"node4", "node5"} {
			want = append(want, `who="a node" from=192.0.2.1 what=join id=`+id+" address=10.0.0.4:7001 outcome="+refusal.code)
		}
	}
	n.service.fault = nil
	join("node4")
	join("node4")
	done := `who="a node" from=192.0.2.1 what=join id=node4 address=10.0.0.4:7001 outcome=done`
	require.Equal(t, append(want, done, done), n.audits())
}
