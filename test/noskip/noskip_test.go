package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// passing is what go test -json says of a package whose tests pass.
const passing = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
{"Action":"output","Package":"q","Output":"?   \tq\t[no test files]\n"}
{"Action":"skip","Package":"q"}
`

func TestPassingRunIsOneLineAPackage(t *testing.T) {
	out, err := read(t, passing)
	require.NoError(t, err)
	require.Equal(t, "ok  \tp\t0.1s\n?   \tq\t[no test files]\n", out)
}

// A run with a skipped test or subtest would otherwise look like one that tested everything.
func TestSkippedTestIsAnError(t *testing.T) {
	out, err := read(t, passing+`{"Action":"output","Package":"p","Test":"TestB/sub","Output":"    b_test.go:1: no server\n"}
{"Action":"skip","Package":"p","Test":"TestB/sub"}
`)
	require.ErrorContains(t, err, "p TestB/sub")
	require.Contains(t, out, "no server")
}

// What a failing test wrote must be seen, also when the build fails or the process dies in its middle.
func TestFailureIsShown(t *testing.T) {
	for name, events := range map[string]string{
		"test":    `{"Action":"output","Package":"p","Test":"TestA","Output":"why\n"}{"Action":"fail","Package":"p","Test":"TestA"}`,
		"process": `{"Action":"output","Package":"p","Test":"TestA","Output":"why\n"}{"Action":"fail","Package":"p"}`,
		"package": `{"Action":"output","Package":"p","Output":"why\n"}{"Action":"fail","Package":"p"}`,
		"build":   `{"Action":"build-output","ImportPath":"p","Output":"why\n"}`,
	} {
		t.Run(name, func(t *testing.T) {
			out, err := read(t, events)
			require.NoError(t, err, "go test itself says that it failed")
			require.Equal(t, "why\n", out)
		})
	}
}

// Who wants a run shorter has to see where its time goes: the longest first, and nothing of what is short.
func TestSlowTestsAreNamed(t *testing.T) {
	var out strings.Builder
	r := newReport(&out)
	require.NoError(t, r.read(strings.NewReader(`{"Action":"pass","Package":"p","Test":"TestShort","Elapsed":19.9}
{"Action":"pass","Package":"p","Test":"TestLong","Elapsed":20.4}
{"Action":"fail","Package":"p","Test":"TestLongest/mysql","Elapsed":61}
{"Action":"pass","Package":"p","Elapsed":99}
`)))
	r.printSlow()
	require.Equal(t, "slow\tp TestLongest/mysql\t61s\nslow\tp TestLong\t20s\n", out.String())
}

func TestBrokenEventsAreAnError(t *testing.T) {
	_, err := read(t, passing+"go: no such tool")
	require.Error(t, err)
}

// read returns what a report prints for these events, and its error.
func read(t *testing.T, events string) (string, error) {
	t.Helper()
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(strings.NewReader(events)); err != nil {
		return out.String(), err
	}
	return out.String(), r.err()
}
