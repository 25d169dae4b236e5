package certs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Paths returns where a pair of this name is in a directory.
func Paths(dir, name string) (certificate, key string) {
	return filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem")
}

// Write puts a pair into a directory, which it makes when there is none. It replaces no file: a key that is gone
// cannot be had again. The key comes last: whoever finds a certificate without one knows that nothing would be lost.
func (p Pair) Write(dir, name string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // only the keys are secret
		return err
	}
	certificate, key := Paths(dir, name)
	if err := writeNew(certificate, p.Certificate, 0o644); err != nil {
		return err
	}
	if err := writeNew(key, p.Key, 0o600); err != nil {
		return errors.Join(err, os.Remove(certificate))
	}
	return nil
}

// Renew is Write in the place of a pair, which stays until both files are written. Its key goes first, for the same reason.
func (p Pair) Renew(dir, name string) error {
	certificate, key := Paths(dir, name)
	newCertificate, newKey := Paths(dir, name+".new")
	if err := errors.Join(removeAny(newKey), removeAny(newCertificate)); err != nil {
		return err
	}
	if err := p.Write(dir, name+".new"); err != nil {
		return err
	}
	if err := removeAny(key); err != nil {
		return err
	}
	if err := os.Rename(newCertificate, certificate); err != nil {
		return err
	}
	return os.Rename(newKey, key)
}

func removeAny(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// WriteCertificate puts the certificate alone into a directory. The one of another pair is not replaced.
func (p Pair) WriteCertificate(dir, name string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path, _ := Paths(dir, name)
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, p.Certificate) {
		return nil
	}
	return writeNew(path, p.Certificate, 0o644)
}

func writeNew(path string, text []byte, mode os.FileMode) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is not replaced; remove it, or name another directory", path)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	_, err = file.Write(text)
	return err
}

// Read reads a pair that Write has written, or the half that there is, and returns what is wrong with the other. fs.ErrNotExist
// is for what is not there, not for what cannot be read.
func Read(dir, name string) (p Pair, err error) {
	certificate, key := Paths(dir, name)
	p.Certificate, err = os.ReadFile(certificate)
	var errKey error
	p.Key, errKey = os.ReadFile(key)
	if err == nil || errKey != nil && !errors.Is(errKey, fs.ErrNotExist) {
		err = errKey
	}
	return p, err
}
