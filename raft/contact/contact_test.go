package contact

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// contactUnderTest hears of heartbeats as hashicorp/raft tells of them.
type contactUnderTest struct {
	*Contact
	hclog hclog.Logger
	out   bytes.Buffer
	clock time.Time
}

func newContactUnderTest() *contactUnderTest {
	c := &contactUnderTest{clock: time.Now()}
	log := slog.New(slog.NewTextHandler(&c.out, nil))
	c.Contact = New(func(address string) string { return strings.TrimSuffix(address, ":7000") }, log)
	c.now = func() time.Time { return c.clock }
	c.hclog = NewLogger(log, c.Contact)
	c.Observe(&raft.Observation{Data: raft.Leader})
	return c
}

func (c *contactUnderTest) missFor(d time.Duration) {
	for range d / (500 * time.Millisecond) {
		c.hclog.Error(heartbeatFailed, "peer", raft.ServerAddress("node2:7000"), "backoff time", time.Second, "error", raft.ErrTransportShutdown)
		c.hclog.Error("failed to appendEntries to", "peer", "node2", "error", "refused")
		c.clock = c.clock.Add(500 * time.Millisecond)
	}
}

func (c *contactUnderTest) levels() string {
	var levels []string
	for line := range strings.Lines(c.out.String()) {
		_, after, _ := strings.Cut(line, "level=")
		level, _, _ := strings.Cut(after, " ")
		levels = append(levels, level)
	}
	return strings.Join(levels, " ")
}

// A member that is restarted is no alarm, one that stays away is one, and none of it may bury the rest:
// hashicorp/raft has 214 lines for two and a half minutes of it.
func TestMemberThatIsAwayIsSaidOnce(t *testing.T) {
	c := newContactUnderTest()
	c.missFor(5 * time.Second)
	c.Observe(&raft.Observation{Data: raft.ResumedHeartbeatObservation{PeerID: "node2"}})
	require.Equal(t, "INFO INFO", c.levels(), c.out.String())
	require.Contains(t, c.out.String(), "answers again")
	require.Contains(t, c.out.String(), "after=5s")

	c.out.Reset()
	c.missFor(40 * time.Second)
	require.Equal(t, "INFO WARN", c.levels(), c.out.String())
	require.Contains(t, c.out.String(), "for=10s")
	require.Contains(t, c.out.String(), raft.ErrTransportShutdown.Error(), "the cause is missing")
}

// What comes after this node has given up the lead, or while it stops, is its own doing.
func TestLeaderThatWasSaysNothingOfMembers(t *testing.T) {
	c := newContactUnderTest()
	c.Observe(&raft.Observation{Data: raft.Follower})
	c.missFor(time.Minute)
	c.Observe(&raft.Observation{Data: raft.Leader})
	c.closing.Store(true)
	c.missFor(time.Minute)
	c.hclog.Error("failed to send snapshot to", "peer", "node2")
	require.Empty(t, c.out.String())
}

// Trouble with what is on disk is never daily life.
func TestTroubleOfTheLogIsPassedOn(t *testing.T) {
	c := newContactUnderTest()
	c.hclog.Error("failed to append to logs", "error", "no space left on device")
	c.hclog.Warn("heartbeat timeout reached, starting election")
	c.hclog.Error("failed to get log", "index", 30, "error", raft.ErrLogNotFound)
	require.Equal(t, "ERROR", c.levels(), c.out.String())
	require.Contains(t, c.out.String(), "no space left")
}
