package cli

import (
	"runtime/debug"
	"strings"
)

// versionText returns the release with what is known of the build: the commit, its day, and the Go that made it.
func versionText(release string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	known := map[string]string{}
	for _, s := range info.Settings {
		known[s.Key] = s.Value
	}
	var of []string
	if commit := known["vcs.revision"]; commit != "" {
		of = append(of, "commit "+commit[:min(len(commit), 12)])
	}
	if known["vcs.modified"] == "true" {
		of = append(of, "changed since")
	}
	if day, _, found := strings.Cut(known["vcs.time"], "T"); found {
		of = append(of, day)
	}
	return release + " (" + strings.Join(append(of, info.GoVersion), ", ") + ")"
}
