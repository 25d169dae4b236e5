package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"versiond/test/harness/servers"
)

// StartEtcd starts three members of etcd with their default settings and waits until all are healthy;
// servers.ErrNotInstalled when there is no etcd.
func StartEtcd(dir string) (_ *System, err error) {
	program, err := servers.FindEtcd()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2 * NodesCount)
	if err != nil {
		return nil, err
	}
	s := &System{Name: Etcd, Dir: dir, Version: versionOf(program), Dial: dialEtcd}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	var cluster []string
	for i := range NodesCount {
		cluster = append(cluster, fmt.Sprintf("node%d=http://%s", i+1, local(ports[2*i])))
	}
	for i := range NodesCount {
		n, err := etcdMember(program, filepath.Join(dir, fmt.Sprintf("node%d", i+1)), local(ports[2*i]), local(ports[2*i+1]), cluster)
		if err != nil {
			return nil, err
		}
		s.Nodes = append(s.Nodes, n)
	}
	return s, s.startNodes()
}

func etcdMember(program, dir, peer, client string, cluster []string) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	args := []string{
		"--name", filepath.Base(dir), "--data-dir", filepath.Join(dir, "data"),
		"--listen-peer-urls", "http://" + peer, "--initial-advertise-peer-urls", "http://" + peer,
		"--listen-client-urls", "http://" + client, "--advertise-client-urls", "http://" + client,
		"--initial-cluster", strings.Join(cluster, ","), "--initial-cluster-state", "new",
		"--log-level", "error",
	}
	return &Server{Name: filepath.Base(dir), Address: client, process: servers.NewProgram(servers.Program{
		Path: program, Args: args, Dir: dir,
		Ready: func(ctx context.Context) error { return answersOK(ctx, "http://"+client+"/health") },
	})}, nil
}
