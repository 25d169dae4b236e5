package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const stopWait = 5 * time.Second

// AwaitStopped waits until every thread of a process that was sent SIGSTOP has stopped: a thread on
// another core may answer one more request before it does. Where there is no /proc it returns at once.
func AwaitStopped(pid int) error {
	for end := time.Now().Add(stopWait); time.Now().Before(end); time.Sleep(time.Millisecond) {
		stopped, err := allStopped(pid)
		if stopped || err != nil {
			return err
		}
	}
	return fmt.Errorf("process %d has not stopped", pid)
}

func allStopped(pid int) (bool, error) {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false, err
	}
	for _, stat := range stats {
		data, err := os.ReadFile(stat)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has just ended
		}
		if err != nil {
			return false, err
		}
		// The state follows the name, which is in brackets and may hold any character.
		if state := data[bytes.LastIndexByte(data, ')')+1:]; !bytes.HasPrefix(state, []byte(" T")) {
			return false, nil
		}
	}
	return true, nil
}
