package network

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const (
	cableName = "cable"
	cableMTU  = 1500
)

// namespace is an open network namespace.
type namespace struct{ *os.File }

// currentNamespace opens that of the calling thread.
func currentNamespace() (namespace, error) {
	f, err := os.Open("/proc/thread-self/ns/net")
	return namespace{f}, err
}

// plugIn makes the host's namespace and cable, on an OS thread that ends with it: it cannot be used for
// anything else.
func (h *Host) plugIn() error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- h.build()
	}()
	return <-done
}

func (h *Host) build() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace: %w", err)
	}
	if h.namespace, err = currentNamespace(); err != nil {
		return err
	}
	if h.cable, err = openCable(); err != nil {
		return errors.Join(err, h.namespace.Close())
	}
	if err := h.configure(); err != nil {
		return errors.Join(err, h.cable.Close(), h.namespace.Close())
	}
	return nil
}

// openCable makes a TUN device in the calling thread's namespace. It is gone when the file is closed.
func openCable() (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	device, err := unix.NewIfreq(cableName)
	if err == nil {
		device.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, device)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a TUN device: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), cableName), nil
}

// configure sets the address of the cable, and takes it and the loopback device into use.
func (h *Host) configure() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	address := h.Addr.As4()
	steps := []struct {
		device  string
		request uint
		fill    func(*unix.Ifreq) error
	}{
		{"lo", unix.SIOCSIFFLAGS, up},
		{cableName, unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(address[:]) }},
		{cableName, unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
		{cableName, unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(cableMTU); return nil }},
		{cableName, unix.SIOCSIFFLAGS, up},
	}
	for _, step := range steps {
		request, err := unix.NewIfreq(step.device)
		if err == nil {
			err = step.fill(request)
		}
		if err == nil {
			err = unix.IoctlIfreq(socket, step.request, request)
		}
		if err != nil {
			return fmt.Errorf("configure %s (%#x): %w", step.device, step.request, err)
		}
	}
	return nil
}

func up(r *unix.Ifreq) error {
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return nil
}

// Enter moves the calling OS thread to the host. The goroutine must have locked it and never unlock it, so
// that the thread ends with the goroutine; a program that it starts runs on the host.
func (h *Host) Enter() error { return unix.Setns(int(h.namespace.Fd()), unix.CLONE_NEWNET) }

// within runs f on a thread that is on the host meanwhile. Sockets stay on the host where they were made.
func (h *Host) within(f func() error) error {
	runtime.LockOSThread()
	if err := h.Enter(); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter the host %s: %w", h.Addr, err)
	}
	err := f()
	if back := unix.Setns(int(h.network.home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}
