package measure

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"versiond/test/harness/servers"
)

// Versiond describes how to run versiond.
type Versiond struct {
	// Name is that of the program in tables; OurName when empty.
	Name string
	// Program is the path of the program, Dir a folder for all that it writes.
	Program, Dir string
	// Servers makes the nodes use MySQL and Redis; otherwise they run embedded.
	Servers bool
	// Env are further variables for every node.
	Env []string
	// Patience is how long a node may take to be ready; half a minute when 0.
	Patience time.Duration
}

// StartVersiond starts three nodes and waits until all are ready; servers.ErrNotInstalled when what
// they need is not there.
func StartVersiond(cfg Versiond) (_ *System, err error) {
	s := &System{Name: NameOf(cmp.Or(cfg.Name, OurName), cfg.Servers), Dir: cfg.Dir, Version: versionOf(cfg.Program), Dial: dialVersiond}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	if cfg.Servers {
		if err := s.startStores(&cfg); err != nil {
			return nil, err
		}
	}
	if err := s.addVersiondNodes(cfg); err != nil {
		return nil, err
	}
	return s, s.startNodes()
}

// mySQLSettings let the server of three nodes use as much memory as an operator would: a million records
// of each fit in, and so does what is written in the minutes of a run.
var mySQLSettings = []string{"--innodb-buffer-pool-size=1G", "--innodb-redo-log-capacity=512M"}

// startStores starts the database server and the cache that the nodes share, and adds the settings
// that lead there.
func (s *System) startStores(cfg *Versiond) error {
	dirs := []string{filepath.Join(cfg.Dir, "mysql"), filepath.Join(cfg.Dir, "redis")}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	mySQL, err := servers.StartMySQL(dirs[0], mySQLSettings...)
	if err != nil {
		return err
	}
	s.Shared = append(s.Shared, &Server{Name: "MySQL", process: mySQL})
	redis, err := servers.StartRedis(dirs[1])
	if err != nil {
		return err
	}
	s.Shared = append(s.Shared, &Server{Name: "Redis", Address: redis.Addr, process: redis})
	s.Version += ", MySQL " + numberIn(versionOf(mySQL.Program())) + ", Redis " + numberIn(versionOf(redis.Program()))
	cfg.Env = append(cfg.Env, "VERSIOND_MYSQL_DSN="+mySQL.DSN("versions"), "VERSIOND_REDIS_ADDR="+redis.Addr)
	return nil
}

func (s *System) addVersiondNodes(cfg Versiond) error {
	ports, err := freePorts(2 * NodesCount)
	if err != nil {
		return err
	}
	var listed []string
	for i := range NodesCount {
		listed = append(listed, fmt.Sprintf("node%d=127.0.0.1:%d/%d", i+1, ports[2*i], ports[2*i+1]))
	}
	env := append([]string{"PATH=" + os.Getenv("PATH"), "VERSIOND_DATA_DIR=" + cfg.Dir, "VERSIOND_RAFT_NODES=" + strings.Join(listed, ",")}, cfg.Env...)
	for i := range NodesCount {
		n, err := versiondNode(cfg, fmt.Sprintf("node%d", i+1), local(ports[2*i+1]), env)
		if err != nil {
			return err
		}
		s.Nodes = append(s.Nodes, n)
	}
	return nil
}

func versiondNode(cfg Versiond, id, address string, env []string) (*Server, error) {
	dir := filepath.Join(cfg.Dir, id+".run")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Server{Name: id, Address: address, process: servers.NewProgram(servers.Program{
		Path: cfg.Program, Args: []string{"--node", id}, Env: env, Dir: dir, Patience: cfg.Patience,
		Ready: func(ctx context.Context) error { return answersOK(ctx, "http://"+address+"/readyz") },
	})}, nil
}

// Knows reports whether a versiond, perhaps one of before, knows what a path asks; it refuses what it does not know.
func (s *System) Knows(ctx context.Context, path string) (bool, error) {
	res, err := Get(ctx, "http://"+s.Nodes[0].Address+path)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	return res.StatusCode != http.StatusBadRequest && res.StatusCode != http.StatusNotFound, nil
}

// Get asks for a URL. The caller closes the body.
func Get(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(req)
}

func answersOK(ctx context.Context, url string) error {
	res, err := Get(ctx, url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return nil
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
