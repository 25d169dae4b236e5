package measure

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Machine is what figures depend on beside the programs.
type Machine struct {
	Processor string        `json:"processor"`
	Cores     int           `json:"cores"`
	Memory    int64         `json:"memoryBytes"`
	System    string        `json:"system"`
	Go        string        `json:"go"`
	Sync      time.Duration `json:"syncNanoseconds"` // the median time of an fsync in the folder for state
}

// Describe returns what this machine is, and how long an fsync takes in dir.
func Describe(dir string) (Machine, error) {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.Processor = valueIn("/proc/cpuinfo", "model name")
	m.Memory, _ = kilobytes(valueIn("/proc/meminfo", "MemTotal")) // 0 where there is no /proc
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	m.System = strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + string(release))
	var err error
	m.Sync, err = timeSync(dir)
	return m, err
}

// valueIn returns the first value of this name in a file of lines of the form name: value.
func valueIn(path, name string) string {
	data, _ := os.ReadFile(path) // no such file, no such value
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// timeSync appends to a file and syncs it, as a log does.
func timeSync(dir string) (_ time.Duration, err error) {
	const rounds, bytes = 101, 4096
	file, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	took := make([]time.Duration, rounds)
	for i := range took {
		if _, err := file.Write(make([]byte, bytes)); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := file.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[rounds/2], nil
}
