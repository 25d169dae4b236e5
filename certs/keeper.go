package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"versiond/group"
	"versiond/logs"
)

const (
	// lookInterval is how often it is looked whether the files have changed.
	lookInterval = time.Second
	// endsSoon is how long before its end a certificate is spoken of, and warnInterval how often.
	endsSoon, warnInterval = 14 * 24 * time.Hour, 24 * time.Hour
)

// Files are where the certificates of a port are.
type Files struct {
	// Section is what their settings are called, such as cluster for cluster.certFile.
	Section string
	// Cert and Key are what the node shows, and CA the authorities of those that it lets in; without CA it asks nobody
	// for a certificate.
	Cert, Key, CA string
	// CASetting is the setting that CA is from.
	CASetting string
}

// Keeper has the certificates in files. It reads them again when they change, and goes on with those that it has while
// the new ones cannot be used. Its methods may be called from any goroutine.
type Keeper struct {
	files Files
	check func(material) error
	build func(material) *tls.Config
	log   *slog.Logger
	told  atomic.Pointer[func()] // see WhenChanged

	current atomic.Pointer[material]
	looked  atomic.Pointer[time.Time]
	reading sync.Mutex
	texts   [][]byte  // what current was made of; guarded by reading
	warned  time.Time // when it was said last that the certificate ends; guarded by reading
}

// material is what one reading of the files has given.
type material struct {
	pair        tls.Certificate
	authorities *authorities // nil where nobody is asked for a certificate
	server      *tls.Config
}

// open reads the files for the first time. It returns nil where the settings name none.
func open(k *Keeper) (*Keeper, error) {
	if k.files.Cert == "" {
		return nil, nil //nolint:nilnil // a nil Keeper is the one for plain connections
	}
	k.log = logs.Calm(k.log)
	if _, err := k.read(); err != nil {
		return nil, err
	}
	return k, nil
}

// Server returns how connections are taken, nil for a nil Keeper, which is for plain ones. Each handshake goes by the files
// as they are then.
func (k *Keeper) Server() *tls.Config {
	if k == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return k.now().server, nil
	}}
}

// Renew reads the files now, and says so. What it has stays when they cannot be used; that is logged.
func (k *Keeper) Renew() {
	if k == nil {
		return
	}
	if changed, err := k.read(); err != nil {
		k.refuse(err)
	} else if !changed {
		k.log.Info("the certificates were read anew, and are the same", "settings", k.files.Section)
	}
}

// Look reads the files unless that was done in the last second. One caller does; the others do not wait for it, and it does
// not wait for ever: a file on a network that is away may never answer. For a nil Keeper it does nothing.
func (k *Keeper) Look() {
	if k == nil {
		return
	}
	if looked := k.looked.Load(); time.Since(*looked) > lookInterval {
		now := time.Now()
		if k.looked.CompareAndSwap(looked, &now) {
			k.look()
		}
	}
}

// now returns what the files hold, as of a second ago at most where they can be read.
func (k *Keeper) now() *material {
	k.Look()
	return k.current.Load()
}

// look reads the files, unless somebody still does.
func (k *Keeper) look() {
	if !k.reading.TryLock() {
		return
	}
	group.Aside(time.After(lookInterval), func() {
		if _, err := k.readLocked(); err != nil {
			k.refuse(err)
		}
	})
}

func (k *Keeper) refuse(err error) {
	k.log.Warn("the certificates were changed and cannot be used; those from before stay until they can", "settings", k.files.Section, "err", err)
}

// WhenChanged has f called each time that the keeper goes by other files, on the goroutine that read them.
func (k *Keeper) WhenChanged(f func()) {
	if k != nil {
		k.told.Store(&f)
	}
}

// read takes over what the files hold if that has changed and can be used, and tells of it.
func (k *Keeper) read() (changed bool, err error) {
	k.reading.Lock()
	return k.readLocked()
}

// readLocked is read for who has locked reading, which it unlocks.
func (k *Keeper) readLocked() (changed bool, err error) {
	if changed, err = k.takeOver(); changed {
		if told := k.told.Load(); told != nil {
			(*told)()
		}
	}
	return changed, err
}

// takeOver is readLocked without telling. A reading that finds a certificate whose key is not written yet is repeated by the next one.
func (k *Keeper) takeOver() (changed bool, err error) {
	defer k.reading.Unlock()
	now := time.Now()
	k.looked.Store(&now)
	texts, err := k.files.read()
	if err != nil {
		return false, err
	}
	if has := k.current.Load(); has != nil && slices.EqualFunc(texts, k.texts, bytes.Equal) {
		k.warnOfEnd(has.pair.Leaf, now)
		return false, nil
	}
	m, err := k.files.parse(texts)
	if err == nil {
		err = k.check(m)
	}
	if err != nil {
		return false, err
	}
	m.server = k.build(m)
	leaf := m.pair.Leaf
	if k.current.Swap(&m) != nil {
		k.log.Info("the certificates were read anew", "settings", k.files.Section, "of", leaf.Subject.CommonName, "until", leaf.NotAfter)
	}
	k.texts, k.warned = texts, time.Time{}
	k.warnOfEnd(leaf, now)
	return true, nil
}

// warnOfEnd logs once a day that the certificate ends soon, or has ended: it counts for a year, and nobody remembers.
func (k *Keeper) warnOfEnd(leaf *x509.Certificate, now time.Time) {
	if leaf.NotAfter.Sub(now) < endsSoon && now.Sub(k.warned) > warnInterval {
		k.warned = now
		k.log.Warn("a certificate ends soon, or has ended; nobody takes it then", "settings", k.files.Section, "of", leaf.Subject.CommonName, "until", leaf.NotAfter)
	}
}

// Until returns when the certificate ends.
func (k *Keeper) Until() time.Time { return k.current.Load().pair.Leaf.NotAfter }

func (f Files) read() (texts [][]byte, err error) {
	for _, each := range [][2]string{{f.Section + ".certFile", f.Cert}, {f.Section + ".keyFile", f.Key}, {f.CASetting, f.CA}} {
		var text []byte
		if each[1] != "" {
			if text, err = os.ReadFile(each[1]); err != nil {
				return nil, fmt.Errorf("%s: %w", each[0], err)
			}
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func (f Files) parse(texts [][]byte) (m material, err error) {
	if m.pair, err = tls.X509KeyPair(texts[0], texts[1]); err != nil {
		return m, fmt.Errorf("%s.certFile (%s) and %s.keyFile (%s): %w", f.Section, f.Cert, f.Section, f.Key, err)
	}
	if f.CA == "" {
		return m, nil
	}
	if m.authorities = parseAuthorities(texts[2]); m.authorities == nil {
		return m, fmt.Errorf("%s: %s holds no certificate in PEM", f.CASetting, f.CA)
	}
	return m, nil
}
