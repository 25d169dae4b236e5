package cluster

import (
	"archive/tar"
	"bytes"
	_ "embed" // for what is below
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// releaseBefore is the source of the release before this one, as scripts/keep-release puts it there. What is cloned may have no
// history.
//
//go:embed testdata/release-before.tar.zst
var releaseBefore []byte

// BuildReleaseBefore compiles the versiond of the release before this one and returns the path of the program.
func BuildReleaseBefore(dir string) (string, error) {
	source, path := filepath.Join(dir, "release-before"), filepath.Join(dir, "versiond-before")
	if err := unpack(releaseBefore, source); err != nil {
		return "", fmt.Errorf("unpack the release before: %w", err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", path, "versiond")
	cmd.Dir, cmd.Env = source, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the release before: %w: %s", err, out)
	}
	return path, nil
}

// unpack writes the files of an archive below dir.
func unpack(archive []byte, dir string) error {
	decoder, err := zstd.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	defer decoder.Close()
	for files := tar.NewReader(decoder); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && header.Typeflag == tar.TypeReg {
			err = unpackFile(files, filepath.Join(dir, filepath.Clean("/"+header.Name)))
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(content io.Reader, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
