package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/client"
)

// A record goes through all that can happen to it, by ids that need care in a path, on nodes in turn.
func TestRecords(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	for _, id := range []string{"app", "libstdc++6", "@scope/pkg", "a b%2F?#é", "x.org:5000/team/app"} {
		_, err := c.Get(ctx, "records-"+id)
		require.ErrorIs(t, err, client.ErrNotFound)
		made := mustCreate(t, c, record("records-"+id, "1.0.0"))
		require.Positive(t, made.Revision)
		_, err = c.Create(ctx, record("records-"+id, "2"))
		require.ErrorIs(t, err, client.ErrAlreadyExists)
		require.Equal(t, made.Revision, client.RevisionOf(err))
		read, err := c.Get(ctx, made.ID)
		require.NoError(t, err)
		require.Equal(t, made, read)
		require.NoError(t, c.Delete(ctx, made.ID, client.IfRevision(made.Revision)))
		require.ErrorIs(t, c.Delete(ctx, made.ID), client.ErrNotFound)
	}
}

// Update leaves alone what it does not name; Replace does not. Who mixes them up wipes a minimum version, or cannot take
// a withdrawal back.
func TestUpdateKeepsAndReplaceClears(t *testing.T) {
	c, ctx, percent := mustClient(t), t.Context(), 0
	full := client.Record{
		ID: "full", VersionNo: "2.0", Platform: "ios", Scheme: "semver", MinVersionNo: "1.0.0", FromVersionNo: "0.9.0",
		Mandatory: true, RolloutPercent: &percent, Withdrawn: true, Attributes: map[string]string{"url": "https://example.com"},
	}
	_, err := c.Create(ctx, full)
	require.ErrorIs(t, err, client.ErrInvalidRequest)
	var refused *client.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "versionNo", refused.Fields[0].Field)

	full.VersionNo = "2.0.0"
	made := mustCreate(t, c, full)
	updated, err := c.Update(ctx, client.Record{ID: "full", VersionNo: "2.0.1", Platform: "ios"}, client.Clear(client.FieldMandatory))
	require.NoError(t, err)
	want := made
	want.VersionNo, want.Mandatory, want.Revision = "2.0.1", false, updated.Revision
	require.Equal(t, want, updated)

	updated.Withdrawn, updated.RolloutPercent = false, nil
	replaced, err := c.Replace(ctx, updated)
	require.NoError(t, err)
	updated.Revision = replaced.Revision
	require.Equal(t, updated, replaced)

	_, err = c.Replace(ctx, made)
	require.ErrorIs(t, err, client.ErrRevisionMismatch, "a record that was read is put back over a newer one")
	require.Equal(t, replaced.Revision, client.RevisionOf(err))
}

func TestNewer(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	mustCreate(t, c, record("newer", "1.10"))
	_, err := c.Update(ctx, record("newer", "1.9"), client.Newer())
	require.ErrorIs(t, err, client.ErrNotNewer)
	updated, err := c.Update(ctx, record("newer", "1.11"), client.Newer())
	require.NoError(t, err)
	require.Equal(t, "1.11", updated.VersionNo)
}

func TestBatches(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	results, err := c.Batch(ctx, []client.Write{
		client.ToCreate(record("batch-1", "1")), client.ToUpdate(record("batch-2", "1")), client.ToCreate(record("batch 3 ", "1")),
	})
	require.NoError(t, err)
	require.Nil(t, results[0].Err)
	require.Equal(t, "batch-1", results[0].Record.ID)
	require.ErrorIs(t, results[1].Err, client.ErrNotFound)
	require.ErrorIs(t, results[2].Err, client.ErrInvalidRequest)
	require.Equal(t, "items[2].id", results[2].Err.Fields[0].Field)

	_, err = c.Batch(ctx, []client.Write{client.ToDelete("batch-1"), client.ToCreate(record("batch-1", "2")), client.ToDelete("nobody")}, client.Atomic())
	require.ErrorIs(t, err, client.ErrBatchRefused)
	var refused *client.Error
	require.ErrorAs(t, err, &refused)
	require.ErrorIs(t, refused.Results[0].Err, client.ErrNotDone)
	require.ErrorIs(t, refused.Results[2].Err, client.ErrNotFound)

	stale := client.IfRevision(results[0].Record.Revision + 1)
	results, err = c.Batch(ctx, []client.Write{client.ToDelete("batch-1", stale), client.ToReplace(record("batch-1", "3")), client.ToDelete("batch-1")})
	require.NoError(t, err)
	require.ErrorIs(t, results[0].Err, client.ErrRevisionMismatch)
	require.Nil(t, results[1].Err)
	require.Nil(t, results[2].Err)
}

func TestListGoesThroughAllPages(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	var writes []client.Write
	for i := range 1000 {
		writes = append(writes, client.ToCreate(record(fmt.Sprintf("list+%04d", i), "1")))
	}
	_, err := c.Batch(ctx, writes)
	require.NoError(t, err)
	mustCreate(t, c, record("list+1000", "1"))
	var ids []string
	for r, err := range c.List(ctx, client.Filter{Prefix: "list+", Platform: "linux"}) {
		require.NoError(t, err)
		ids = append(ids, r.ID)
	}
	require.Len(t, ids, 1001)
	require.Equal(t, "list+1000", ids[1000])
	for _, err := range c.List(ctx, client.Filter{Prefix: "list+"}, client.At("most")) {
		require.ErrorIs(t, err, client.ErrInvalidRequest)
	}
	for r, err := range c.List(ctx, client.Filter{Prefix: "list+05"}) {
		require.NoError(t, err)
		require.Equal(t, "list+0500", r.ID)
		break
	}
}

func TestVersions(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	mustCreate(t, c, record("versions,1", "1.9+1"))
	mustCreate(t, c, record("versions-2", "1.10+2"))
	latest, err := c.Latest(ctx, client.Question{Prefix: "versions", Platform: "linux"})
	require.NoError(t, err)
	require.Equal(t, "versions-2", latest.ID)
	advice, err := c.Check(ctx, client.Question{IDs: []string{"versions-2", "nobody"}}, client.Installed{Version: "1.9+1", Client: "me"})
	require.NoError(t, err)
	require.Equal(t, client.UpdateOptional, advice.Update)
	require.Equal(t, &latest, advice.Latest)
	_, err = c.Check(ctx, client.Question{Prefix: "none such"}, client.Installed{Version: "1"})
	require.ErrorIs(t, err, client.ErrNotFound)
	compared, err := c.Compare(ctx, "1.0.0+1", "1.0.0+2", "semver")
	require.NoError(t, err)
	require.Equal(t, client.Comparison{Order: 0, Scheme: "semver"}, compared)
}

// A session reads its own writes from every node without asking a quorum, and goes on elsewhere.
func TestSessionsDoNotGoBack(t *testing.T) {
	ctx := t.Context()
	writer := mustNew(t, client.Config{Addresses: addresses, Token: token, Level: client.LevelNone})
	session := writer.Session()
	require.Zero(t, writer.Index())
	mustCreate(t, session, record("session", "0"))
	for i := range 60 {
		version := fmt.Sprint(i)
		_, err := session.Update(ctx, record("session", version))
		require.NoError(t, err)
		reader, err := session.On(addresses[i%len(addresses)])
		require.NoError(t, err)
		read, err := reader.Get(ctx, "session")
		require.NoError(t, err)
		require.Equal(t, version, read.VersionNo)
	}
	read, err := mustClient(t).SessionAt(session.Index()).Get(ctx, "session", client.At(client.LevelNone))
	require.NoError(t, err)
	require.Equal(t, "59", read.VersionNo)
	require.Zero(t, writer.Index(), "what a session sees is its own")
}

func TestCluster(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	leader, err := c.Leader(ctx)
	require.NoError(t, err)
	peers, err := c.Peers(ctx)
	require.NoError(t, err)
	require.Len(t, peers.Members, 3)
	require.Equal(t, 1, peers.FailureTolerance)
	_, err = c.TransferLeadership(ctx, "nobody")
	require.ErrorIs(t, err, client.ErrNotFound)
	for _, p := range peers.Members {
		if p.ID != leader.ID {
			leader, err = c.TransferLeadership(ctx, p.ID)
			require.NoError(t, err)
			require.Equal(t, p.ID, leader.ID)
			member, err := c.Join(ctx, p.ID, p.Address, client.JoinOptions{})
			require.NoError(t, err)
			require.Equal(t, client.Member{ID: p.ID, Address: p.Address, Port: p.Port, Voter: true}, member)
			break
		}
	}
	require.ErrorIs(t, c.Remove(ctx, "nobody", client.RemoveOptions{}), client.ErrNotFound)
	_, err = c.Join(ctx, "node4", "127.0.0.1:1", client.JoinOptions{NonVoter: true})
	require.ErrorIs(t, err, client.ErrNodeUnreachable)
	for _, s := range mustClient(t, append(addresses, mustBeDead(t))...).Status(ctx)[:3] {
		require.NoError(t, s.Err)
		require.Positive(t, s.Index)
	}
}

func TestBackupAndRestore(t *testing.T) {
	c, ctx := mustClient(t), t.Context()
	mustCreate(t, c, record("backup", "1"))
	var file bytes.Buffer
	index, err := c.Backup(ctx, &file)
	require.NoError(t, err)
	require.Positive(t, index)
	require.NoError(t, c.Delete(ctx, "backup"))
	// The first address is dead: the file has to be there for the second one, from its beginning on.
	c = mustClient(t, append([]string{mustBeDead(t)}, addresses...)...)
	restored, err := c.Restore(ctx, bytes.NewReader(file.Bytes()), client.RestoreOptions{})
	require.NoError(t, err)
	require.Greater(t, restored.Index, index)
	_, err = c.Get(ctx, "backup")
	require.NoError(t, err)
	_, err = c.Restore(ctx, bytes.NewReader(file.Bytes()[:file.Len()/2]), client.RestoreOptions{})
	require.ErrorIs(t, err, client.ErrInvalidRequest)
}

func TestTokens(t *testing.T) {
	c := mustNew(t, client.Config{Addresses: addresses})
	_, err := c.Get(t.Context(), "x")
	require.ErrorIs(t, err, client.ErrUnauthorized)
	require.NotErrorIs(t, err, client.ErrUnavailable)
	require.Contains(t, err.Error(), "Bearer")
}

func TestConfigsThatCannotWork(t *testing.T) {
	for text, cfg := range map[string]client.Config{
		"Addresses is empty":     {},
		"neither http":           {Addresses: []string{"ftp://a"}},
		"no address":             {Addresses: []string{"http://a/?x=1"}},
		"user or a password":     {Addresses: []string{"http://user:hunter2@a"}},
		"a right value is http:": {Addresses: []string{"http://a:b:c"}},
		"AttemptTimeout":         {Addresses: []string{"a:1"}, AttemptTimeout: 1 << 62},
		"Level":                  {Addresses: []string{"a:1"}, Level: "most"},
	} {
		_, err := client.New(cfg)
		require.ErrorContains(t, err, text)
		require.NotContains(t, err.Error(), "hunter2")
	}
	c := mustNew(t, client.Config{Addresses: []string{"a:1", "https://b/versiond/"}})
	require.Equal(t, []string{"http://a:1", "https://b/versiond"}, c.Addresses())
}

func TestAContextThatIsOverAsksNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := mustClient(t).Create(ctx, record("cancelled", "1"))
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.Is(err, client.ErrOutcomeUnknown), err)
}
