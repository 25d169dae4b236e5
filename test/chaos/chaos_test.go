package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/chaos"
	"versiond/test/harness/cluster"
)

// program is the versiond that TestMain has built.
var program string

func TestMain(m *testing.M) { os.Exit(cluster.Main(m, &program)) }

// TestChaos disturbs a cluster as the package comment says: with DURATION by every fault and until that
// time is over, and otherwise by each of a short selection once. If this fails, versiond breaks a promise
// when something else breaks.
func TestChaos(t *testing.T) {
	modes := map[string][]chaos.Mode{"embedded": {chaos.Embedded}, "mysql": {chaos.MySQL}, "both": {chaos.Embedded, chaos.MySQL}, "": {chaos.Embedded, chaos.MySQL}}
	require.Contains(t, modes, os.Getenv("MODE"), "MODE")
	seed := seed(t)
	chosen := chosen(t, chaos.All())
	builds, err := chaos.MakeBuilds(t.TempDir(), chosen)
	require.NoError(t, err)
	for _, mode := range modes[os.Getenv("MODE")] {
		if len(chaos.For(mode, chosen)) == 0 {
			continue // FAULT names some of the other mode
		}
		t.Run(string(mode), func(t *testing.T) {
			options := chaos.Options{Program: program, Builds: builds, Mode: mode, Seed: seed, Faults: chaos.For(mode, chosen), Patience: cluster.Slowness}
			if long() {
				options.Duration = duration(t, os.Getenv("DURATION"))
			} else {
				t.Parallel()
			}
			report := chaos.Run(t, options)
			fmt.Fprintln(os.Stdout, report)
			document(t, report)
		})
	}
}

func long() bool { return os.Getenv("DURATION") != "" }

// chosen returns those faults whose names match FAULT, all when that is not set; of these, without DURATION,
// the short ones.
func chosen(t *testing.T, faults []chaos.Fault) []chaos.Fault {
	t.Helper()
	wanted, err := regexp.Compile(os.Getenv("FAULT"))
	require.NoError(t, err, "FAULT")
	faults = slices.DeleteFunc(faults, func(f chaos.Fault) bool { return !wanted.MatchString(f.Name) || !long() && !f.Short })
	require.NotEmpty(t, faults, "no fault that was asked for")
	return faults
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "DURATION")
	return d
}

func seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("SEED")
	if text == "" {
		return rand.Uint64N(1_000_000)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "SEED")
	return n
}
