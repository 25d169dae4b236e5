package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// The tokens of the cluster, one of each role.
const (
	readToken  = "only-reads-records"
	writeToken = "changes-records-too"
	adminToken = "runs-the-cluster-too"
)

// What the console is for, on one cluster of three nodes with tokens: a cluster takes seconds to start. If one of these
// fails, people see a page that does not do what it says.
func TestConsole(t *testing.T) {
	chromium.start(t)
	c := cluster.Start(t, cluster.Config{
		Program: program, Token: adminToken,
		Env: []string{"VERSIOND_AUTH_TOKENS=reader:read:" + readToken + ",ci:write:" + writeToken + ",ops:admin:" + adminToken},
	})
	t.Run("beside each other", func(t *testing.T) {
		run(t, c, []part{{"looks", looks}, {"tokens", tokens}, {"records", records}, {"untouched", untouched}, {"conflict", conflict}, {"pages", pages}, {"leaving", leaving}, {"versions", versions},
			{"files", importAndExport}, {"behind a proxy", behindProxy}, {"restore given up", restoreGivenUp}, {"scripts", scripts}}, (*testing.T).Parallel)
	})
	// These change the cluster.
	run(t, c, []part{{"members", members}, {"a node is killed", nodeKilled}, {"live", live}, {"backup", backup}}, func(*testing.T) {})
}

// part is one of the things that the console is for.
type part struct {
	name string
	test func(t *testing.T, c *cluster.Cluster)
}

func run(t *testing.T, c *cluster.Cluster, parts []part, begin func(t *testing.T)) {
	t.Helper()
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			begin(t)
			p.test(t, c)
		})
	}
}

// mustEnter opens the console of a node with a token.
func mustEnter(t *testing.T, n *cluster.Node, token string, l look) *window {
	t.Helper()
	w := mustOpen(t, n, l)
	w.enter("token", token+"\n")
	w.until(`document.querySelector("main").dataset.view === "cluster"`, "the token is taken")
	return w
}

// tokens shows what each of them may do, before it is tried.
func tokens(t *testing.T, c *cluster.Cluster) {
	w := mustOpen(t, c.Nodes[1], look{})
	w.see("This cluster asks for a token")
	w.enter("token", "nobody-knows-it\n")
	w.see("The node does not know this token.")
	w.enter("token", "copied")
	value[bool](w, `(() => {
		document.querySelector("[data-key=token]").value = "copied\u200b";
		document.querySelector("[data-key=enter]").click();
		return true;
	})()`)
	w.see("Copy it again.")
	require.Empty(t, value[string](w, `sessionStorage.getItem("versiond.token") ?? ""`), "what no header takes is sent for ever")
	w.enter("token", readToken+"\n")
	w.see("reader · read", "node1", "node2", "node3", "3 / 3", "One more may fail", "Checks of node2")
	require.NotContains(t, value[string](w, `location.href + document.cookie + JSON.stringify(localStorage)`), "reads", "the token is elsewhere than in sessionStorage")

	mustAdd(t, c, "a-reader-sees-it")
	w.view("records")
	w.see("Read only", "a-reader-sees-it")
	w.click("open-a-reader-sees-it")
	w.until(`document.querySelector("dialog [data-key=versionNo]").disabled`, "nothing can be typed in")
	require.Zero(t, value[int](w, `document.querySelectorAll("[data-key=save], [data-key=delete], [data-key=new]").length`))
	w.click("close")
	w.click("leave")
	w.see("This cluster asks for a token")
	require.Zero(t, value[int](w, `sessionStorage.length`))

	w.enter("token", readToken+"\n")
	w.see("reader · read", "1 node may fail")
	value[bool](w, `(() => {
		const real = window.fetch;
		window.fetch = async () => {
			window.fetch = real;
			return new Response('{"code":"unauthorized"}', {status: 401});
		};
		return true;
	})()`)
	w.see("This cluster asks for a token")
	w.gone("reader · read", "1 node may fail")
}

// mustAdd creates a record of the version 1.0.0 for linux.
func mustAdd(t *testing.T, c *cluster.Cluster, id string) uint64 {
	t.Helper()
	added, err := c.Nodes[0].Client.Add(t.Context(), record(id))
	require.NoError(t, err)
	return added.Record.Revision
}

func record(id string) model.VersionDB {
	return model.VersionDB{ID: id, VersionNo: "1.0.0", Platform: "linux"}
}

func mustGet(t *testing.T, c *cluster.Cluster, id string) model.VersionDB {
	t.Helper()
	got, err := c.Nodes[2].Client.Get(t.Context(), id, model.ReadOptions{Level: model.LevelLinearizable})
	require.NoError(t, err)
	return got.Record
}

// nodeKilled is the bad night: the node that leads dies while somebody looks at another, which says so and goes on by itself.
func nodeKilled(t *testing.T, c *cluster.Cluster) {
	leader, follower := c.Leader(), c.Followers()[0]
	w := mustEnter(t, follower, writeToken, look{})
	own := mustEnter(t, leader, writeToken, look{})
	own.view("records")
	leader.Kill()
	own.see(leader.ID+" does not answer. Trying again", "No answer")
	w.see("No node may fail", "2 / 3", "no answer")
	w.view("records")
	w.click("new")
	w.enter("id", "after-the-night")
	w.enter("versionNo", "1")
	w.enter("platform", "p")
	w.click("save")
	w.see("Created after-the-night.")

	leader.Start()
	leader.WaitReady()
	own.gone("does not answer")
	own.click("tab-records")
	own.see("after-the-night")
	w.see("1 node may fail")
}
