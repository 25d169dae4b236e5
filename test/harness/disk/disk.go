package disk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"versiond/test/harness/servers"
)

// ErrImpossible is returned where this machine does not let the test mount a disk.
var ErrImpossible = errors.New("a disk that can be filled takes Linux and root, with the right to mount a tmpfs")

// fillerFile is what fills a disk.
const fillerFile = "filler"

// Disk is what a directory lies on.
type Disk struct{ dir string }

// Must puts a directory, with what it holds, on a disk of its own of this size until the test ends, unless
// it is on one already. Where none can be had, servers.Need decides. Nobody may use the directory meanwhile.
func Must(t testing.TB, dir string, bytes int64) *Disk {
	t.Helper()
	aside := dir + ".aside"
	if _, err := os.Stat(aside); err == nil {
		return &Disk{dir: dir}
	}
	err := errors.Join(os.MkdirAll(dir, 0o750), os.Rename(dir, aside), os.Mkdir(dir, 0o750))
	if err == nil {
		err = mount(dir, bytes)
	}
	servers.Need(t, err, ErrImpossible)
	t.Cleanup(func() {
		if t.Failed() {
			_ = os.CopyFS(dir+".kept", os.DirFS(dir)) // for whoever looks why
		}
		_ = unmount(dir)
	})
	if err := os.CopyFS(dir, os.DirFS(aside)); err != nil {
		t.Fatal(err)
	}
	return &Disk{dir: dir}
}

// Fill leaves no byte free.
func (d *Disk) Fill(t testing.TB) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(d.dir, fillerFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// Clear makes room again.
func (d *Disk) Clear(t testing.TB) {
	t.Helper()
	if err := os.Remove(filepath.Join(d.dir, fillerFile)); err != nil {
		t.Fatal(err)
	}
}
