package measure

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A command that wrote outside its section would destroy what the other one measured.
func TestReplaceSection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	text := "a\n<!-- one: begin -->\nold\n<!-- one: end -->\nb\n<!-- two: begin -->\nkept\n<!-- two: end -->\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, ReplaceSection(path, "one", "new\n"))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "a\n<!-- one: begin -->\nnew\n<!-- one: end -->\nb\n<!-- two: begin -->\nkept\n<!-- two: end -->\n", string(got))
	require.Error(t, ReplaceSection(path, "three", ""), "a section that is not there")
}

// The committed document must have the sections that the commands write.
func TestDocumentHasSections(t *testing.T) {
	text, err := os.ReadFile("../../../docs/benchmarks.md")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	for _, section := range []string{"bench", "scale"} {
		require.NoError(t, ReplaceSection(path, section, "new\n"))
	}
}

// fake answers at once: every third operation with a refusal, and from its limit on with a broken
// connection.
type fake struct{ done, limit int }

func (f *fake) Write(string, string) error {
	f.done++
	switch {
	case f.done > f.limit:
		return errors.New("broken")
	case f.done%3 == 0:
		return &refusedError{"no"}
	}
	return nil
}

func (f *fake) Read(string, Level) error { return nil }
func (f *fake) Close() error             { return nil }

// Refusals and broken connections must not count as operations, nor a broken connection be used on.
func TestLoopCounts(t *testing.T) {
	load := Load{Duration: time.Minute, Work: func(c Client, _, _ int, _ *rand.Rand) error { return c.Write("", "") }}
	tally := load.work([]Client{&fake{limit: 9}, &fake{limit: 6}})
	require.Equal(t, 10, tally.Operations)
	require.Equal(t, 7, tally.Errors)
	require.Len(t, tally.latencies, tally.Operations)
	require.Equal(t, "no", tally.FirstError)
}

// Percentiles and rates are what the tables are made of.
func TestTally(t *testing.T) {
	var all Tally
	for round := range 2 {
		one := Tally{Operations: 50, Elapsed: time.Second, CPU: time.Second}
		for i := range 50 {
			one.latencies = append(one.latencies, time.Duration(100-50*round-i)*time.Millisecond)
		}
		all.Add(one)
	}
	require.InDelta(t, 50, all.Rate(), 0.01)
	require.Equal(t, 50*time.Millisecond, all.Quantile(0.5))
	require.Equal(t, 99*time.Millisecond, all.Quantile(0.99))
	require.Equal(t, 20*time.Second, all.CPUPerThousand())
	require.Zero(t, (&Tally{}).Quantile(0.5))
}

// What /proc says of a process that we know: this one.
func TestProc(t *testing.T) {
	self := &Server{process: thisProcess{}}
	memory, err := self.Memory()
	require.NoError(t, err)
	require.GreaterOrEqual(t, memory.Peak, memory.Now)
	require.Greater(t, memory.Now, int64(1<<20))
	before, err := cpuOf(os.Getpid())
	require.NoError(t, err)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if after, err := cpuOf(os.Getpid()); err != nil || after > before {
			require.NoError(t, err)
			return
		}
	}
	t.Fatal("half a minute of work took no processor time")
}

// The document says with which servers was measured, and names no folder of the machine.
func TestNumberIn(t *testing.T) {
	for version, number := range map[string]string{
		"/home/v=1/mysqld  Ver 9.7.0 for Linux on x86_64 ((Debian))":                  "9.7.0",
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=a2": "7.0.15",
		"unknown: no such file": "unknown: no such file",
	} {
		require.Equal(t, number, numberIn(version))
	}
}

type thisProcess struct{ process }

func (thisProcess) Pid() int { return os.Getpid() }
