package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// EtcdEnv names the environment variable with the path of the etcd that benchmarks compare with. When it is not set, they
// take the one that make bench-cluster builds into the cache, and else the one on the PATH.
const EtcdEnv = "VERSIOND_BENCH_ETCD"

// etcdCache is where that is, below the root of the module.
const etcdCache = ".cache/etcd"

// FindEtcd returns the path of an etcd; ErrNotInstalled when there is none.
func FindEtcd() (string, error) {
	if path := os.Getenv(EtcdEnv); path != "" {
		if _, err := exec.LookPath(path); err != nil {
			return "", fmt.Errorf("%s must be the path of an etcd: %w", EtcdEnv, err)
		}
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath(filepath.Join(root, filepath.FromSlash(etcdCache))); err == nil {
		return path, nil
	}
	return Find("etcd", "etcd-server")
}
