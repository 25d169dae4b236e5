package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"versiond/test/harness/cluster"
	"versiond/test/harness/servers"
	"versiond/test/load/measure"
)

// startAll starts the systems one after the other; servers that are not installed leave one out.
func startAll(o options, dir string, r *result, stderr io.Writer) (systems []*measure.System, err error) {
	program, err := cluster.Build(dir)
	if err != nil {
		return nil, err
	}
	for _, each := range o.others {
		r.Others = append(r.Others, each.name)
	}
	for _, each := range starters(append([]other{{measure.OurName, program}}, o.others...), dir) {
		if o.system != nil && !o.system.MatchString(each.name) {
			continue
		}
		s, err := each.start()
		if errors.Is(err, servers.ErrNotInstalled) {
			fmt.Fprintln(stderr, "LEFT OUT:", err)
			r.LeftOut = append(r.LeftOut, err.Error())
			continue
		}
		if err != nil {
			return systems, err
		}
		systems = append(systems, s)
		r.Systems = append(r.Systems, systemNote{Name: s.Name, Version: s.Version})
	}
	if len(systems) == 0 {
		return nil, errors.New("none of the systems is installed and asked for")
	}
	return systems, nil
}

type starter struct {
	name  string
	start func() (*measure.System, error)
}

// starters returns what starts each system, in the order of the table: first every versiond in a mode, as these are compared
// with each other, and etcd last.
func starters(versionds []other, dir string) (all []starter) {
	for i, mode := range []string{"embedded", "servers"} {
		for _, each := range versionds {
			cfg := measure.Versiond{Name: each.name, Program: each.program, Dir: filepath.Join(dir, mode, each.name), Servers: i == 1}
			all = append(all, starter{measure.NameOf(each.name, cfg.Servers), func() (*measure.System, error) { return measure.StartVersiond(cfg) }})
		}
	}
	return append(all, starter{measure.Etcd, func() (*measure.System, error) { return measure.StartEtcd(filepath.Join(dir, "etcd")) }})
}
