package cluster

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// Build compiles versiond into dir and gives the path of the program. Under the race detector the
// program gets it too: a race that it reports fails the test whose node it happened in.
func Build(dir string) (string, error) {
	path := filepath.Join(dir, "versiond")
	args := []string{"build", "-o", path}
	if raceDetector {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "versiond")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build versiond: %w: %s", err, out)
	}
	return path, nil
}
