package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build compiles versiond into dir and returns the path of the program. Under the race detector the
// program gets it too: a race that it reports fails the test whose node it happened in.
func Build(dir string) (string, error) { return build(filepath.Join(dir, "versiond"), raceFlags()...) }

// BuildAsShipped compiles versiond without the race detector, which makes memory and time several times
// what they are.
func BuildAsShipped(dir string) (string, error) { return build(filepath.Join(dir, "versiond-shipped")) }

// BuildWithFailpoints is Build of a program that VERSIOND_FAILPOINT makes kill itself.
func BuildWithFailpoints(dir string) (string, error) {
	return build(filepath.Join(dir, "versiond-failpoints"), append(raceFlags(), "-tags", "failpoints")...)
}

// The line of package time from which every wall clock reading comes, and what BuildWithWildClock makes
// of it: an hour ahead for five seconds, an hour behind for the next five.
const (
	clockReading = "\tsec, nsec, mono := runtimeNow()\n"
	wildClock    = clockReading + "\tsec += 3600 * (1 - 2*(mono/5e9%2))\n"
)

// BuildWithWildClock is Build of a program whose wall clock jumps by two hours every five seconds. The
// clock that measures durations goes on as it should, as on a machine whose date somebody sets. Programs
// that are built by Go take the time from the kernel's memory, where no library can put itself in
// between; so package time is replaced.
func BuildWithWildClock(dir string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	if strings.Count(string(source), clockReading) != 1 {
		return "", fmt.Errorf("%s no longer reads the clock by %q, once: adapt BuildWithWildClock", original, clockReading)
	}
	replaced := filepath.Join(dir, "time.go")
	if err := os.WriteFile(replaced, []byte(strings.Replace(string(source), clockReading, wildClock, 1)), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: replaced}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return "", err
	}
	return build(filepath.Join(dir, "versiond-wild-clock"), append(raceFlags(), "-overlay", file)...)
}

func raceFlags() []string {
	if raceDetector {
		return []string{"-race"}
	}
	return nil
}

func build(path string, flags ...string) (string, error) {
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), "versiond")...)
	if len(flags) == 0 {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", filepath.Base(path), err, out)
	}
	return path, nil
}
