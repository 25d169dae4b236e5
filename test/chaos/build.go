package chaos

import (
	"fmt"

	"versiond/test/harness/cluster"
)

// Build is a versiond that was built to be disturbed.
type Build string

// What MakeBuilds can build.
const (
	// WildClock has a wall clock that jumps.
	WildClock Build = "wild clock"
	// FailPoints kills itself at a step that FAILPOINT names.
	FailPoints Build = "fail points"
)

var makers = map[Build]func(dir string) (string, error){
	WildClock:  cluster.BuildWithWildClock,
	FailPoints: cluster.BuildWithFailpoints,
}

// MakeBuilds builds into dir what these faults need, and returns the paths of the programs.
func MakeBuilds(dir string, faults []Fault) (map[Build]string, error) {
	programs := map[Build]string{}
	for _, f := range faults {
		for _, build := range f.Builds {
			if programs[build] != "" {
				continue
			}
			path, err := makers[build](dir)
			if err != nil {
				return nil, fmt.Errorf("for %s: %w", f.Name, err)
			}
			programs[build] = path
		}
	}
	return programs, nil
}
