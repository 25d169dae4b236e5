package cluster

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/logs"
)

// An election is news; only one that comes to nothing is an alarm, which is said once and then seldom.
func TestMissingLeaderIsSaidWhenItLasts(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	now := time.Now()
	w := leaderWatch{log: log, calm: logs.Calm(log), since: now}
	lookFor := func(d time.Duration, leader string) string {
		out.Reset()
		for range d / leaderLookInterval {
			now = now.Add(leaderLookInterval)
			w.look(now, leader)
		}
		return out.String()
	}
	require.Equal(t, 1, strings.Count(lookFor(time.Minute, "node1"), "there is a new leader"))
	require.Empty(t, lookFor(4*time.Second, ""), "an election takes as long")
	require.Equal(t, 1, strings.Count(lookFor(time.Minute, "node2"), "level=INFO"))
	missing := lookFor(40*time.Second, "")
	require.Equal(t, 1, strings.Count(missing, "level=WARN"), missing)
	require.Contains(t, missing, "for=5s")
	require.Contains(t, lookFor(time.Second, "node2"), "there is a leader again")
}
