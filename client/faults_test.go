package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/client"
)

// A node that is down costs nobody a request, and is asked no more once another one answers.
func TestADeadAddressIsLeftOut(t *testing.T) {
	second := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	third := mustFront(t, addresses[1], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	c := mustClient(t, mustBeDead(t), second.URL, third.URL)
	mustCreate(t, c, record("dead", "1"))
	_, err := c.Get(t.Context(), "dead")
	require.NoError(t, err)
	require.Len(t, second.requests(), 2, "a client stays with the node that answers")
	require.Empty(t, third.requests())
}

// When nobody answers, the error has every address, says that nothing was done, and does not take long.
func TestNobodyAnswers(t *testing.T) {
	one, other := mustBeDead(t), mustBeDead(t)
	c := mustNew(t, client.Config{Addresses: []string{one, other}, RetryFor: -1})
	_, err := c.Create(t.Context(), record("nobody", "1"))
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.NotErrorIs(t, err, client.ErrOutcomeUnknown)
	c = mustNew(t, client.Config{Addresses: []string{one, other}, RetryFor: 300 * time.Millisecond, AttemptTimeout: 300 * time.Millisecond})
	begun := time.Now()
	_, err = c.Create(t.Context(), record("nobody", "1"))
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.ErrorContains(t, err, one+": connection refused; "+other+": connection refused")
	require.Less(t, time.Since(begun), 5*time.Second)
}

// A write whose answer was lost is done once: the client sends it again, with the same key, to another node.
func TestALostAnswerIsNoSecondWrite(t *testing.T) {
	first := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { lose(w, r, pass) })
	second := mustFront(t, addresses[1], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	reader := mustClient(t)
	fresh := func() *client.Client { return mustClient(t, first.URL, second.URL) }

	made, err := fresh().Create(t.Context(), record("lost", "1"))
	require.NoError(t, err, "a create that was done is answered as done, not as already_exists")
	read, err := reader.Get(t.Context(), "lost")
	require.NoError(t, err)
	require.Equal(t, made, read)
	updated, err := fresh().Update(t.Context(), client.Record{ID: "lost", VersionNo: "2", Platform: "linux", Revision: made.Revision})
	require.NoError(t, err, "an update that was done is no revision_mismatch of its own making")
	results, err := fresh().Batch(t.Context(), []client.Write{client.ToDelete("lost", client.IfRevision(updated.Revision)), client.ToCreate(record("lost", "3"))})
	require.NoError(t, err)
	require.Nil(t, results[0].Err)
	require.Nil(t, results[1].Err)
	require.NoError(t, fresh().Delete(t.Context(), "lost"))

	keys := map[string]int{}
	for _, r := range append(first.requests(), second.requests()...) {
		keys[r.Header.Get("Idempotency-Key")]++
	}
	require.Len(t, keys, 4, "each call has a key of its own")
	for key, sent := range keys {
		require.NotEmpty(t, key)
		require.Equal(t, 2, sent)
	}
}

// What was refused the first time is refused the second time, also when the cluster has moved on: the answer is about the
// write, not about the retry.
func TestALostRefusalStaysOne(t *testing.T) {
	other := mustClient(t)
	first := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) {
		pass.ServeHTTP(httptest.NewRecorder(), r)
		_, _ = other.Create(context.WithoutCancel(r.Context()), record("refused", "1"))
		hang(w)
	})
	err := mustClient(t, first.URL, addresses[1]).Delete(t.Context(), "refused")
	require.ErrorIs(t, err, client.ErrNotFound)
	_, err = other.Get(t.Context(), "refused")
	require.NoError(t, err, "the retry deleted what somebody else has created")
}

// When the answer is lost and nobody can be asked again, the error says that the outcome is not known, whatever the last
// node has said.
func TestWhatMayHaveBeenDoneIsUnknown(t *testing.T) {
	lost := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { lose(w, r, pass) })
	for name, second := range map[string]deed{
		"no leader": func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) { refuse(w, 503, "no_leader", "1") },
		"crowded": func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
			refuse(w, 429, "too_many_requests", "60")
		},
		"no such token": func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
			refuse(w, 401, "unauthorized", "")
		},
		"a web page": func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) { _, _ = w.Write([]byte("<html>")) },
	} {
		t.Run(name, func(t *testing.T) {
			refuses := mustFront(t, addresses[0], second)
			c := mustNew(t, client.Config{Addresses: []string{lost.URL, refuses.URL}, Token: token, RetryFor: 500 * time.Millisecond, AttemptTimeout: 500 * time.Millisecond})
			_, err := c.Create(t.Context(), record("unknown "+name, "1"))
			require.ErrorIs(t, err, client.ErrOutcomeUnknown)
			if name == "a web page" {
				require.ErrorContains(t, err, "not as a node does")
			} else {
				require.ErrorContains(t, err, "so says the test")
			}
			_, err = mustClient(t).Get(t.Context(), "unknown "+name)
			require.NoError(t, err, "it was done")
		})
	}
}

// A node that dies while it writes is unknown too: a kept connection that breaks is dialled anew by the transport itself, and
// that nobody is there then says nothing of the first time.
func TestAWriteOnAKeptConnectionMayHaveBeenDone(t *testing.T) {
	var dies *front
	dies = mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, number int, pass http.Handler) {
		if number == 0 {
			pass.ServeHTTP(w, r)
			return
		}
		_ = dies.Listener.Close()
		lose(w, r, pass)
	})
	c := mustNew(t, client.Config{Addresses: []string{dies.URL}, Token: token, RetryFor: -1})
	_, err := c.Get(t.Context(), "last word")
	require.ErrorIs(t, err, client.ErrNotFound)
	_, err = c.Create(t.Context(), record("last word", "1"))
	require.ErrorIs(t, err, client.ErrOutcomeUnknown)
	require.ErrorContains(t, err, "connection refused")
	require.NoError(t, mustClient(t).Delete(t.Context(), "last word"), "it was done")
}

// A write without a key is never sent a second time unless nothing was done.
func TestWhatHasNoKeyIsSentOnce(t *testing.T) {
	lost := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, number int, pass http.Handler) {
		if number == 0 {
			refuse(w, 503, "no_leader", "1")
			return
		}
		lose(w, r, pass)
	})
	mustCreate(t, mustClient(t), record("once", "1"))
	_, err := mustClient(t, lost.URL).Update(t.Context(), record("once", "2"), client.Newer())
	require.ErrorIs(t, err, client.ErrOutcomeUnknown)
	require.Len(t, lost.requests(), 2)
}

// A backup that cannot be rewound, such as a pipe, goes to the next node as long as nothing was read of it, and to nobody
// once something was.
func TestARestoreFromAPipeGoesOnWhileNothingWasRead(t *testing.T) {
	mustCreate(t, mustClient(t), record("piped", "1"))
	var file bytes.Buffer
	_, err := mustClient(t).Backup(t.Context(), &file)
	require.NoError(t, err)
	pipe := func() io.Reader { return struct{ io.Reader }{bytes.NewReader(file.Bytes())} }
	refuses := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) { refuse(w, 503, "no_leader", "1") })
	_, err = mustClient(t, mustBeDead(t), refuses.URL, addresses[1]).Restore(t.Context(), pipe(), client.RestoreOptions{})
	require.NoError(t, err)

	reads := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		refuse(w, 503, "no_leader", "1")
	})
	_, err = mustClient(t, reads.URL, addresses[1]).Restore(t.Context(), pipe(), client.RestoreOptions{})
	require.ErrorIs(t, err, client.ErrNoLeader)
	_, err = mustClient(t, reads.URL, addresses[1]).Restore(t.Context(), bytes.NewReader(file.Bytes()), client.RestoreOptions{})
	require.NoError(t, err)
}

// A file that took long leaves the next node as much time as the first one had: a restore that is cut short there is one of
// which nobody knows what became.
func TestARestoreThatIsRefusedLeavesTheNextNodeItsTime(t *testing.T) {
	mustCreate(t, mustClient(t), record("second", "1"))
	var file bytes.Buffer
	_, err := mustClient(t).Backup(t.Context(), &file)
	require.NoError(t, err)
	slow := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-time.After(300 * time.Millisecond)
		refuse(w, 503, "no_leader", "1")
	})
	next := mustFront(t, addresses[1], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	short := 100 * time.Millisecond
	c := mustNew(t, client.Config{Addresses: []string{slow.URL, next.URL}, Token: token, RetryFor: short, AttemptTimeout: short})
	_, err = c.Restore(t.Context(), bytes.NewReader(file.Bytes()), client.RestoreOptions{})
	require.NoError(t, err)
	require.Equal(t, "1m0s", next.requests()[0].URL.Query().Get("timeout"))
}

// Nodes that take their time to refuse a file are asked once each, and not in turn for ever.
func TestARestoreThatAllRefuseEnds(t *testing.T) {
	refuses := func() *front {
		return mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-time.After(200 * time.Millisecond) // longer than an address rests at first
			refuse(w, 503, "no_leader", "")
		})
	}
	first, second := refuses(), refuses()
	short := 100 * time.Millisecond
	c := mustNew(t, client.Config{Addresses: []string{first.URL, second.URL}, Token: token, RetryFor: short, AttemptTimeout: short})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := c.Restore(ctx, strings.NewReader("a file"), client.RestoreOptions{})
	require.ErrorIs(t, err, client.ErrNoLeader)
	require.NoError(t, ctx.Err())
	require.LessOrEqual(t, len(first.requests())+len(second.requests()), 3)
}

// A page to log in, which some proxies answer with 200, is no answer of the cluster: nothing counts as read, written or
// followed that no node has answered. What may be asked of another node is.
func TestAnAnswerOfNoNode(t *testing.T) {
	login := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
		_, _ = w.Write([]byte("{}"))
	})
	ctx := t.Context()
	c := mustNew(t, client.Config{Addresses: []string{login.URL}, Token: token, RetryFor: -1})
	var file bytes.Buffer
	_, errGet := c.Get(ctx, "no node")
	_, errPage := c.Page(ctx, client.Filter{}, "", 1)
	_, errBackup := c.Backup(ctx, &file)
	for name, err := range map[string]error{"get": errGet, "page": errPage, "backup": errBackup} {
		require.ErrorIs(t, err, client.ErrNotVersiond, name)
		require.ErrorContains(t, err, login.URL+" answered 200 OK, and not as a node does", name)
	}
	require.Zero(t, file.Len())
	for _, err := range c.Watch(ctx, client.Question{}, client.Now()) {
		require.ErrorIs(t, err, client.ErrNotVersiond)
	}
	require.ErrorIs(t, c.Delete(ctx, "no node"), client.ErrOutcomeUnknown)
	require.ErrorIs(t, c.Remove(ctx, "node3", client.RemoveOptions{}), client.ErrOutcomeUnknown)
	_, err := c.Create(ctx, record("no node", "1"))
	require.ErrorIs(t, err, client.ErrOutcomeUnknown)
	require.ErrorIs(t, c.Status(ctx)[0].Err, client.ErrNotVersiond)

	c = mustClient(t, login.URL, addresses[1])
	mustCreate(t, c, record("no node", "1"))
	require.NoError(t, mustClient(t, login.URL, addresses[1]).Delete(ctx, "no node"))
}

// A proxy that reaches no node says so in a form of its own: it is to be tried later, as when nobody answers. Whether it
// has handed on a write it does not say.
func TestAProxyThatReachesNoNode(t *testing.T) {
	for _, status := range []int{429, 502, 503, 504, 404, 500} {
		proxy := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
			http.Error(w, "<html><body>so says the proxy</body></html>", status)
		})
		c := mustNew(t, client.Config{Addresses: []string{proxy.URL}, Token: token, RetryFor: -1})
		_, err := c.Get(t.Context(), "behind a proxy")
		require.Equal(t, status != 404 && status != 500, errors.Is(err, client.ErrUnavailable), "%d: %v", status, err)
		require.Equal(t, status == 404 || status == 500, errors.Is(err, client.ErrNotVersiond), "%d: %v", status, err)
		require.ErrorContains(t, err, "and not as a node does")
		_, err = c.Create(t.Context(), record("behind a proxy", "1"))
		require.Equal(t, status >= 500, errors.Is(err, client.ErrOutcomeUnknown), "%d: %v", status, err)
	}
	waits := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, number int, pass http.Handler) {
		if number < 2 {
			http.Error(w, "so says the proxy", http.StatusServiceUnavailable)
			return
		}
		pass.ServeHTTP(w, r)
	})
	mustCreate(t, mustClient(t, waits.URL), record("behind a proxy", "1"))
}

// A backup that was cut off or damaged on its way is none, although the answer came to its end.
func TestABackupThatCameDamaged(t *testing.T) {
	mustCreate(t, mustClient(t), record("damaged", "1"))
	var whole bytes.Buffer
	_, err := mustClient(t).Backup(t.Context(), &whole)
	require.NoError(t, err)
	good := whole.Bytes()
	flipped := bytes.Clone(good)
	flipped[len(good)/2] ^= 1
	breaks := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
		w.Header().Set("X-Versiond-Node", "node1")
		_, _ = w.Write(good[:len(good)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, err = mustClient(t, breaks.URL).Backup(t.Context(), io.Discard)
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.ErrorContains(t, err, breaks.URL+": the connection was closed before the answer was there")
	for name, body := range map[string][]byte{
		"flipped": flipped, "cut off": good[:len(good)-1], "cut off early": good[:30], "nothing": nil, "more": append(bytes.Clone(good), 0),
		"a page": []byte("<!DOCTYPE html><html><body>Log in</body></html>"),
	} {
		front := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
			w.Header().Set("X-Versiond-Node", "node1")
			_, _ = w.Write(body)
		})
		_, err = mustClient(t, front.URL).Backup(t.Context(), io.Discard)
		require.ErrorIs(t, err, client.ErrNotVersiond, name)
		require.ErrorContains(t, err, "no whole and undamaged backup", name)
	}
}

// Retry-After is kept to, by the same address alone, and not when it asks for more than a call has time.
func TestRetryAfter(t *testing.T) {
	var mu sync.Mutex
	var asked []time.Time
	busy := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, number int, pass http.Handler) {
		mu.Lock()
		asked = append(asked, time.Now())
		mu.Unlock()
		if number == 0 {
			refuse(w, 503, "store_unavailable", "1")
			return
		}
		pass.ServeHTTP(w, r)
	})
	mustCreate(t, mustClient(t, busy.URL), record("retry-after", "1"))
	require.Len(t, asked, 2)
	require.GreaterOrEqual(t, asked[1].Sub(asked[0]), time.Second)

	away := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
		refuse(w, 503, "node_removed", "30")
	})
	begun := time.Now()
	_, err := mustClient(t, away.URL, addresses[1]).Get(t.Context(), "retry-after")
	require.NoError(t, err)
	_, err = mustClient(t, away.URL).Get(t.Context(), "retry-after")
	require.ErrorIs(t, err, client.ErrNodeRemoved)
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.Less(t, time.Since(begun), 5*time.Second, "nobody waits for what comes too late")

	crowded := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) {
		refuse(w, 429, "too_many_requests", "1")
	})
	free := mustFront(t, addresses[1], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	begun = time.Now()
	_, err = mustClient(t, crowded.URL, free.URL).Get(t.Context(), "retry-after")
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begun), time.Second, "a crowded cluster is left alone, not asked through another node")
}

// A node that hangs is given up in time for another one, and a caller that has little time is answered in it.
func TestANodeThatHangs(t *testing.T) {
	hung := mustFront(t, addresses[0], func(_ http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body) // a server sees that a client is gone once it has all of its request
		<-r.Context().Done()
	})
	c := mustNew(t, client.Config{Addresses: []string{hung.URL, addresses[1]}, Token: token, AttemptTimeout: 50 * time.Millisecond})
	mustCreate(t, c, record("hung", "1"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := mustClient(t, hung.URL).Create(ctx, record("hung", "2"))
	require.ErrorIs(t, err, client.ErrOutcomeUnknown)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = mustClient(t, hung.URL).Get(ctx, "hung")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A write that never got a connection was not done, however its time ran out.
func TestWithoutAConnectionNothingIsDone(t *testing.T) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }}
	c := mustNew(t, client.Config{Addresses: addresses[:1], HTTPClient: &http.Client{Transport: transport}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Create(ctx, record("no connection", "1"))
	require.ErrorIs(t, err, client.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// A node's own time runs out before the caller's, so that its answer says what was wrong.
func TestNodesAreToldHowLong(t *testing.T) {
	seen := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := mustClient(t, seen.URL).Get(ctx, "told", client.MinIndex(1<<40), client.At(client.LevelNone))
	require.ErrorIs(t, err, client.ErrTimeout)
	told, err := time.ParseDuration(seen.requests()[0].URL.Query().Get("timeout"))
	require.NoError(t, err)
	require.InDelta(t, 900, told.Milliseconds(), 100)
}

// The token goes to the addresses that were named, and to nobody that they name.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := mustFront(t, addresses[0], func(w http.ResponseWriter, _ *http.Request, _ int, _ http.Handler) { hang(w) })
	redirects := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, _ http.Handler) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	c := mustNew(t, client.Config{Addresses: []string{redirects.URL}, Token: token, RetryFor: -1})
	_, err := c.Get(t.Context(), "x")
	require.ErrorIs(t, err, client.ErrNotVersiond)
	require.ErrorContains(t, err, "307")
	require.Empty(t, elsewhere.requests())
}

func TestTLS(t *testing.T) {
	front := mustFront(t, addresses[0], func(w http.ResponseWriter, r *http.Request, _ int, pass http.Handler) { pass.ServeHTTP(w, r) })
	secure := httptest.NewUnstartedServer(front.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	c := mustNew(t, client.Config{Addresses: []string{secure.URL}, Token: token, RetryFor: -1})
	_, err := c.Create(t.Context(), record("tls", "1"))
	require.ErrorIs(t, err, client.ErrUnavailable, "nothing is sent to who cannot show who it is")
	require.ErrorContains(t, err, "certificate")
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	mustCreate(t, mustNew(t, client.Config{Addresses: []string{secure.URL}, Token: token, TLS: &tls.Config{RootCAs: pool}}), record("tls", "1"))
	_, err = mustNew(t, client.Config{Addresses: []string{secure.URL}, Token: token, HTTPClient: secure.Client()}).Get(t.Context(), "tls")
	require.NoError(t, err)
	_, err = client.New(client.Config{Addresses: []string{secure.URL}, TLS: &tls.Config{}, HTTPClient: secure.Client()})
	require.ErrorContains(t, err, "HTTPClient")
}
